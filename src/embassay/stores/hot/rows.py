"""The rows of one part: what a chunk consists of, besides its vectors and the index of its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from embassay import jsontext
from embassay.stores.filters.values import Filter
from embassay.stores.hot.coded import Coded
from embassay.stores.hot.fields import EMPTY, FieldColumns, to_metadata
from embassay.stores.hot.keys import RowKeys
from embassay.stores.hot.masks import mask_of
from embassay.stores.hot.sections import Array, Sections
from embassay.stores.hot.strings import Strings
from embassay.stores.hot.writing_rows import KIND, NUMBERS, RowColumns, RowsWriter
from embassay.text import encodable
from embassay.types import Chunk

BLOCK = 4096
"""Rows that are written at a time."""


class RowPart:
    """The rows of one part, by their numbers. Threads may share it. Raises HotIndexDamaged, also while it is read."""

    def __init__(self, folder: Path, name: str) -> None:
        self._sections = Sections(folder, f"{name}.{KIND}", KIND)
        self.rows = int(self._sections.facts["rows"])
        self._columns = {name: Coded(self._sections, name, self.rows) for name in ("document", "path", "section")}
        self._fields = FieldColumns(self._sections, self.rows)
        self._keys = RowKeys(self._sections, self.rows)

    @staticmethod
    def write(folder: Path, name: str, chunks: Iterable[Chunk]) -> None:
        """Write a part of these rows. Raises HomeNotWritable."""
        left = iter(chunks)
        with RowsWriter(folder, name) as out:
            while block := list(islice(left, BLOCK)):
                out.add(_block_of(block))

    @staticmethod
    def merge(folder: Path, name: str, parts: Sequence[RowPart], order: Array) -> None:
        """Write a part of rows of others, (n, 2): the position of a part, and the row there. Raises HomeNotWritable."""
        with RowsWriter(folder, name) as out:
            for at in range(0, len(order), BLOCK):
                out.add(_merged(parts, order[at : at + BLOCK]))

    def fetch(self, rows: Sequence[int] | Array) -> list[Chunk]:
        """The chunks of these rows, in that order."""
        found = self.block(np.asarray(rows, np.int64))
        numbers = zip(*(column.tolist() for column in found.numbers), strict=True)
        texts = zip(*found.texts, strict=True)
        return [
            Chunk(
                key,
                document,
                path,
                section,
                indexed,
                body_at,
                (first, last),
                (start, end),
                tokens,
                bool(truncated),
                to_metadata(metadata),
            )
            for (key, document, path, section, indexed, metadata), (
                body_at,
                first,
                last,
                start,
                end,
                tokens,
                truncated,
            ) in zip(texts, numbers, strict=True)
        ]

    def block(self, rows: Array) -> RowColumns:
        """The columns of these rows, in that order."""
        numbers: dict[str, Any] = {name: self._sections.numbers(name, self.rows)[rows] for name in NUMBERS}
        lasts = numbers["first_line"].astype(np.int64) + numbers["more_lines"]
        ends = numbers["start"].astype(np.int64) + numbers["length"]
        return RowColumns(
            (
                self._keys.at(rows),
                self._columns["document"].at(rows),
                self._columns["path"].at(rows),
                self._columns["section"].at(rows),
                self._texts.get(rows),
                self._fields.metadata.at(rows),
            ),
            [
                numbers["body_at"],
                numbers["first_line"],
                lasts,
                numbers["start"],
                ends,
                numbers["tokens"],
                numbers["truncated"],
            ],
        )

    def keys(self) -> Iterator[str]:
        """The keys of all rows, in their order."""
        for at in range(0, self.rows, BLOCK):
            yield from self._keys.at(np.arange(at, min(at + BLOCK, self.rows)))

    def titles(self) -> Iterator[str]:
        """The titles of all rows, which are their sections, in their order."""
        for at in range(0, self.rows, BLOCK):
            yield from self._columns["section"].at(np.arange(at, min(at + BLOCK, self.rows)))

    def keys_of(self, rows: Array) -> list[str]:
        """The keys of these rows."""
        return self._keys.at(rows)

    def find(self, keys: Sequence[str]) -> Array:
        """The row of each key, -1 where there is none: int64 (len(keys),)."""
        return self._keys.find(keys)

    def mask(self, where: Filter) -> Array:
        """Which rows pass a filter, as `filters.meaning.predicate` tells: bool (rows,). Raises FilterError."""
        return mask_of(where, self.rows, self._columns, self._fields)

    def rows_of(self, names: Iterable[str], by: str = "path") -> Array:
        """The rows of these files, ascending; of these documents with ``by="document"``."""
        return np.flatnonzero(self._columns[by].having(names))

    def close(self) -> None:
        """Give back the file."""
        self._sections.close()

    @cached_property
    def _texts(self) -> Strings:
        return Strings(self._sections, "indexed")


def _block_of(chunks: Sequence[Chunk]) -> RowColumns:
    from embassay.metadata import kept

    numbers = np.array([(c.body_at, *c.lines, *c.span, c.tokens, c.truncated) for c in chunks], np.int64)
    return RowColumns(
        (
            [encodable(c.key) for c in chunks],
            [encodable(c.document) for c in chunks],
            [encodable(c.path) for c in chunks],
            [encodable(c.section) for c in chunks],
            [encodable(c.indexed) for c in chunks],
            [jsontext.dumps(kept(c.metadata).metadata, ascii_only=True) if c.metadata else EMPTY for c in chunks],
        ),
        list(numbers.T),
    )


def _merged(parts: Sequence[RowPart], order: Array) -> RowColumns:
    """The columns of these rows."""
    chosen = [np.flatnonzero(order[:, 0] == at) for at in range(len(parts))]
    blocks = [part.block(order[places, 1]) for part, places in zip(parts, chosen, strict=True) if len(places)]
    places = np.argsort(np.concatenate(chosen))
    numbers = [np.concatenate(column)[places] for column in zip(*(block.numbers for block in blocks), strict=True)]
    texts = [
        [joined[place] for place in places.tolist()]
        for joined in (
            [text for column in columns for text in column] for columns in zip(*(b.texts for b in blocks), strict=True)
        )
    ]
    return RowColumns(texts, numbers)
