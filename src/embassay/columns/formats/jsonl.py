"""JSON lines: an object a row, whose vector is a list of numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.columns.base import BLOCK, ColumnTable, ColumnWriter, RowBlock
from embassay.columns.writing import translated
from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.rows import rows_of

if TYPE_CHECKING:
    from embassay.types import Vectors

FILE = "chunks.jsonl"
ENDINGS = (".jsonl", ".ndjson")
DIGITS = 9
"""Significant digits that tell any two numbers of 32 bits apart."""
SHORTEST = 2
"""Dimensions of a vector at least."""


def holds(place: Path) -> bool:
    """Whether it is such a file by its name, or a folder that holds one and no vectors beside it."""
    return place.suffix in ENDINGS or ((place / FILE).is_file() and not any(place.glob("*.npy")))


class LinesTable(ColumnTable):
    """One file. Which columns there are is told by its first row."""

    rows: int | None = None

    def __init__(self, file: Path) -> None:
        self._path = file
        first = next(self._records(), {})
        self.vectors: Mapping[str, int] = {name: len(one) for name, one in first.items() if _is_vector(one)}  # type: ignore[arg-type]
        self.fields: Sequence[str] = [name for name in first if name not in self.vectors]

    def _records(self) -> Iterator[Mapping[str, object]]:
        for row in rows_of(SourceFile(self._path, self._path.name), "jsonl"):
            if isinstance(row, ReadError):
                raise ReadError(f"{self._path}: {row.message}")
            yield row.fields

    def blocks(self, fields: Sequence[str], vector: str) -> Iterator[RowBlock]:
        records, dimensions, first = self._records(), self.vectors[vector], 0
        while some := list(islice(records, BLOCK)):
            values = {name: [row.get(name) for row in some] for name in fields}
            yield RowBlock(first, _matrix([row.get(vector) for row in some], dimensions), values)
            first += len(some)

    def __enter__(self) -> LinesTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Each reading closes its own file."""


def open_table(place: Path) -> LinesTable:
    """The file, or the one in a folder that we wrote."""
    return LinesTable(place / FILE if place.is_dir() else place)


class LinesWriter(ColumnWriter):
    """A line a row."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        with translated(self._path):
            self._out = self._path.open("x", encoding="utf-8", newline="\n")

    def write(self, fields: Mapping[str, Sequence[object]], vectors: Vectors) -> None:
        names = list(fields)
        with translated(self._path):
            for values, row in zip(zip(*fields.values(), strict=True), vectors.tolist(), strict=True):
                numbers = [float(f"{number:.{DIGITS}g}") for number in row]
                self._out.write(jsontext.dumps(dict(zip(names, values, strict=True)) | {"vector": numbers}) + "\n")

    def finish(self, manifest: Mapping[str, object]) -> None:
        del manifest  # lines have no place for it
        with translated(self._path):
            self._out.flush()
            os.fsync(self._out.fileno())

    def __enter__(self) -> LinesWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with translated(self._path):
            self._out.close()


def create(folder: Path, fields: Mapping[str, type], dimensions: int) -> LinesWriter:
    """A new file in `folder`."""
    del fields, dimensions  # each line says them
    return LinesWriter(folder)


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and len(value) >= SHORTEST and all(type(one) in (int, float) for one in value)


def _matrix(rows: Sequence[object], dimensions: int) -> Vectors:
    import numpy as np

    made = np.full((len(rows), dimensions), np.nan, np.float32)
    for at, row in enumerate(rows):
        if isinstance(row, list) and len(row) == dimensions and _is_vector(row):
            made[at] = row
    return made
