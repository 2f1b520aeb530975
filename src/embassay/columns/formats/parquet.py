"""Parquet: a row group at a time. What describes a table stands in the metadata of the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.columns.base import BLOCK, ColumnTable, ColumnWriter, RowBlock
from embassay.columns.writing import translated
from embassay.errors import ReadError

if TYPE_CHECKING:
    import pyarrow as pa

    from embassay.types import Vectors

FILE = "chunks.parquet"
METADATA = b"embassay"
"""Under which a file that we wrote says what it holds."""
GROUP_ROWS = 8 * BLOCK
"""Rows that stand together in a file that we write, and are held in memory until they do."""


def holds(place: Path) -> bool:
    """Whether it is a Parquet file by its name, or a folder that we wrote one into."""
    return place.suffix == ".parquet" or (place / FILE).is_file()


class ParquetTable(ColumnTable):
    """One file."""

    def __init__(self, file: Path) -> None:
        import pyarrow as arrow
        from pyarrow.parquet import ParquetFile

        from embassay.columns.formats._arrow import dimensions_of, plain_names, vector_types

        try:
            self._file = ParquetFile(file, memory_map=True)
            schema = self._file.schema_arrow
            self.fields: Sequence[str] = plain_names(schema)
            self.vectors: Mapping[str, int] = dimensions_of(schema, self._head(vector_types(schema)))
        except (arrow.ArrowException, OSError, ValueError) as error:
            raise _unread(file, error) from error
        self._path = file
        self.rows: int | None = self._file.metadata.num_rows

    def _head(self, names: Sequence[str]) -> Mapping[str, pa.Array]:
        first = next(self._file.iter_batches(batch_size=BLOCK, columns=names), None) if names else None
        return {} if first is None else {name: first.column(name) for name in names}

    def blocks(self, fields: Sequence[str], vector: str) -> Iterator[RowBlock]:
        import pyarrow as arrow

        from embassay.columns.formats._arrow import blocks_of

        try:
            names = list(dict.fromkeys([*fields, vector]))
            batches = self._file.iter_batches(batch_size=BLOCK, columns=names, use_threads=False)
            yield from blocks_of(batches, fields, vector, self.vectors[vector])
        except (arrow.ArrowException, OSError) as error:
            raise _unread(self._path, error) from error

    def __enter__(self) -> ParquetTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def open_table(place: Path) -> ParquetTable:
    """The file, or the one in a folder that we wrote."""
    return ParquetTable(place / FILE if place.is_dir() else place)


class ParquetWriter(ColumnWriter):
    """Collects rows until they make a group."""

    def __init__(self, folder: Path, fields: Mapping[str, type], dimensions: int) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        kinds = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
        plain = [pa.field(name, kinds[kind]) for name, kind in fields.items()]
        self._schema = pa.schema([*plain, pa.field("vector", pa.list_(pa.float32(), dimensions))])
        self._waiting: list[pa.RecordBatch] = []
        self._path = folder / FILE
        with translated(self._path):
            self._stream = self._path.open("xb")
            self._out = parquet.ParquetWriter(self._stream, self._schema, compression="zstd")

    def write(self, fields: Mapping[str, Sequence[object]], vectors: Vectors) -> None:
        import numpy as np
        import pyarrow as pa

        flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
        arrays = [pa.array(fields[one.name], one.type) for one in self._schema if one.name != "vector"]
        arrays.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= GROUP_ROWS:
            self._flush()

    def finish(self, manifest: Mapping[str, object]) -> None:
        with translated(self._path):
            self._flush()
            self._out.add_key_value_metadata({METADATA: jsontext.dumps(manifest).encode()})
            self._out.close()
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def _flush(self) -> None:
        import pyarrow as pa

        with translated(self._path):
            if self._waiting:
                self._out.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting = []

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def create(folder: Path, fields: Mapping[str, type], dimensions: int) -> ParquetWriter:
    """A new file in `folder`."""
    return ParquetWriter(folder, fields, dimensions)


def _unread(file: Path, error: Exception) -> ReadError:
    return ReadError(f"{file} is no Parquet that can be read: {str(error).splitlines()[0][:200]}")
