"""A table of LanceDB, by the folder ``NAME.lance`` that it lies in: read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.columns.base import BLOCK, ColumnTable, RowBlock
from embassay.errors import ReadError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".lance"


def holds(place: Path) -> bool:
    """Whether it is such a folder."""
    return place.suffix == SUFFIX and place.is_dir()


class LanceTable(ColumnTable):
    """One version of a table, the latest at the time it is opened."""

    def __init__(self, folder: Path) -> None:
        from embassay.columns.formats._arrow import dimensions_of, plain_names, vector_types

        if not holds(folder):
            raise ReadError(f"{folder} is no folder of a Lance table: its name ends with {SUFFIX}")
        import lancedb

        self._folder = folder
        with_parent = folder.absolute()
        try:
            self._table = lancedb.connect(str(with_parent.parent)).open_table(folder.name.removesuffix(SUFFIX))
            schema = self._table.schema
            self.fields: Sequence[str] = plain_names(schema)
            self.vectors: Mapping[str, int] = dimensions_of(schema, self._head(vector_types(schema)))
            self.rows: int | None = int(self._table.count_rows())
        except (ValueError, RuntimeError, OSError) as error:
            raise self._unread(error) from error

    def _head(self, names: Sequence[str]) -> Mapping[str, pa.Array]:
        if not names:
            return {}
        found = self._table.search().select(list(names)).limit(1).to_arrow().combine_chunks()
        return {name: found[name].chunk(0) for name in names if found.num_rows}

    def blocks(self, fields: Sequence[str], vector: str) -> Iterator[RowBlock]:
        from embassay.columns.formats._arrow import blocks_of

        try:
            names = list(dict.fromkeys([*fields, vector]))
            batches = self._table.search().select(names).to_batches(BLOCK)
            yield from blocks_of(batches, fields, vector, self.vectors[vector])
        except (ValueError, RuntimeError, OSError) as error:
            raise self._unread(error) from error

    def _unread(self, error: Exception) -> ReadError:
        return ReadError(f"{self._folder} is no Lance table that can be read: {' '.join(str(error).split())[:200]}")

    def __enter__(self) -> LanceTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._table  # which has no other way to be closed


def open_table(place: Path) -> LanceTable:
    """The table in the folder `place`."""
    return LanceTable(place)
