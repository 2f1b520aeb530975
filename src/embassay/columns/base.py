"""The contract of a format of columns: one file in `formats/`, which offers what `ColumnFormat` lists.

Rows have numbers, counted from 0 in the order in which they stand. A table is read in blocks, so that it may be far
larger than memory. Nothing is ever written to a table that is read, and nothing in one is run: no pickles are loaded.
Other packages join through the entry-point group ``embassay.formats``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from embassay.types import Vectors

BLOCK = 1024
"""Rows of a block at most."""


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Some rows that stand one behind another."""

    first: int
    """Number of the first of them."""
    vectors: Vectors
    """float32 (rows, dimensions); a row that has no vector, or one of other dimensions, is NaN throughout."""
    fields: Mapping[str, Sequence[object]] = field(default_factory=dict)
    """By name of the column: plain values as JSON has them, one a row."""

    def __len__(self) -> int:
        return len(self.vectors)


class ColumnTable(AbstractContextManager["ColumnTable"], Protocol):
    """A table that is open for reading; leaving its ``with`` block closes it."""

    fields: Sequence[str]
    """Names of the columns that hold plain values."""
    vectors: Mapping[str, int]
    """Names of the columns that hold vectors, with the dimensions of each."""
    rows: int | None
    """How many there are; None where only reading tells."""

    def blocks(self, fields: Sequence[str], vector: str) -> Iterator[RowBlock]:
        """All rows in order, with these columns and those vectors alone. Raises ReadError for what cannot be read."""


class ColumnWriter(AbstractContextManager["ColumnWriter"], Protocol):
    """Writes a table into a folder, block by block. Raises HomeNotWritable."""

    def write(self, fields: Mapping[str, Sequence[object]], vectors: Vectors) -> None:
        """Append rows: plain values by column, and their vectors (rows, dimensions)."""

    def finish(self, manifest: Mapping[str, object]) -> None:
        """Write what stands at the end, and all of it to the disk; `manifest` is kept where the format has a place."""


class ColumnFormat(Protocol):
    """What the module of a format offers. One that is only read has no `create`."""

    def holds(self, place: Path) -> bool:
        """Whether a file or a folder looks like a table of this format, by its name and what lies in it."""

    def open_table(self, place: Path) -> ColumnTable:
        """Open it. Raises ReadError for what is no such table."""

    def create(self, folder: Path, fields: Mapping[str, type], dimensions: int) -> ColumnWriter:
        """A new table in an empty folder: the types of its plain columns, and the dimensions of its vectors."""
