"""Writes the rows of one part, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from embassay.stores.hot.coded import CodedWriter
from embassay.stores.hot.fields import FieldsWriter
from embassay.stores.hot.keys import KeysWriter
from embassay.stores.hot.sections import Array, SectionWriter, smallest
from embassay.stores.hot.strings import StringsWriter

KIND = "rows"
NUMBERS = ("body_at", "first_line", "more_lines", "start", "length", "tokens", "truncated")
"""Columns of numbers. Ends are kept as distances, which are small."""


@dataclass(frozen=True, slots=True)
class RowColumns:
    """Some rows, column by column, all of the same length."""

    texts: Sequence[Sequence[str]]
    """``key``, ``document``, ``path``, ``section``, ``indexed``, and ``metadata`` as JSON."""
    numbers: Sequence[Array]
    """``body_at``, first and last line, start and end of the span, ``tokens``, ``truncated``."""


class RowsWriter:
    """Takes rows in blocks. The file appears when the ``with`` block ends without an error."""

    def __init__(self, folder: Path, name: str) -> None:
        self._out = SectionWriter(folder, f"{name}.{KIND}", KIND)
        self._columns = {name: CodedWriter() for name in ("document", "path", "section")}
        self._keys, self._fields = KeysWriter(), FieldsWriter()
        self._numbers: list[Sequence[Array]] = []
        self._rows = 0

    def __enter__(self) -> RowsWriter:
        self._out.__enter__()
        self._texts = StringsWriter(self._out.stream("indexed"))
        return self

    def add(self, block: RowColumns) -> None:
        """Append these rows."""
        keys, documents, paths, sections, indexed, metadata = block.texts
        self._keys.extend(keys)
        for name, texts in zip(self._columns, (documents, paths, sections), strict=True):
            self._columns[name].extend(texts)
        for text in indexed:
            self._texts.add(text)
        self._fields.extend(metadata)
        self._numbers.append([_small(np.asarray(column, np.int64)) for column in _distances(block.numbers)])
        self._rows += len(keys)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failed:
            self._out.__exit__(type(failed), failed, None)
            raise
        self._out.__exit__(kind, error, at)

    def _finish(self) -> None:
        out = self._out
        out.facts["rows"] = self._rows
        self._texts.finish(out, "indexed")
        for name, column in self._columns.items():
            column.finish(out, name)
        self._fields.finish(out)
        self._keys.finish(out)
        for name, blocks in zip(NUMBERS, zip(*self._numbers, strict=True), strict=True):
            out.add_numbers(name, np.concatenate(blocks))


def _distances(numbers: Sequence[Array]) -> Sequence[Array]:
    body_at, first, last, start, end, tokens, truncated = numbers
    return body_at, first, last - first, start, end - start, tokens, truncated


def _small(numbers: Array) -> Array:
    return numbers.astype(smallest(int(numbers.min()), int(numbers.max())))
