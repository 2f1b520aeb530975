"""Columns of Arrow as plain values and as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from embassay.columns.base import RowBlock

if TYPE_CHECKING:
    from embassay.types import Vectors

SHORTEST = 2
"""Dimensions of a vector at least; what is shorter is a list of numbers."""


def vector_types(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold lists of numbers with a fraction."""
    return [field.name for field in schema if _is_list(field.type) and pa.types.is_floating(field.type.value_type)]


def plain_names(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold neither vectors nor bytes."""
    left_out = {*vector_types(schema), *(f.name for f in schema if pa.types.is_binary(f.type))}
    return [name for name in schema.names if name not in left_out]


def dimensions_of(schema: pa.Schema, first: Mapping[str, pa.Array]) -> dict[str, int]:
    """The dimensions of each column of vectors: what its type says, else those of the first row that has one."""
    return {name: _dimensions(schema.field(name).type, first.get(name)) for name in vector_types(schema)}


def _dimensions(kind: pa.DataType, column: pa.Array | None) -> int:
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    lengths = [] if column is None else [n for n in pa.compute.list_value_length(column).to_pylist() if n]
    return int(lengths[0]) if lengths else 0


def blocks_of(
    batches: Iterable[pa.RecordBatch], fields: Sequence[str], vector: str, dimensions: int
) -> Iterator[RowBlock]:
    """The blocks of batches, one each."""
    first = 0
    for batch in batches:
        if batch.num_rows:
            values = {name: [plain(one) for one in batch.column(name).to_pylist()] for name in fields}
            yield RowBlock(first, matrix_of(batch.column(vector), dimensions), values)
            first += batch.num_rows


def matrix_of(column: pa.Array, dimensions: int) -> Vectors:
    """A column of vectors as float32 (rows, dimensions); NaN where a row has none, or one of other dimensions."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if not column.null_count:
        flat = column.flatten()
        regular = pa.types.is_fixed_size_list(column.type)
        if not regular:
            regular = pa.compute.all(pa.compute.equal(pa.compute.list_value_length(column), dimensions)).as_py()
        if regular and len(flat) == len(column) * dimensions:
            numbers = flat.to_numpy(zero_copy_only=False)  # a number that is missing becomes NaN
            return np.ascontiguousarray(numbers, np.float32).reshape(-1, dimensions)
    made = np.full((len(column), dimensions), np.nan, np.float32)
    for at, row in enumerate(column.to_pylist()):
        if row is not None and len(row) == dimensions:
            made[at] = [np.nan if one is None else one for one in row]
    return made


def plain(value: object) -> object:
    """A value as JSON could hold it; bytes are left out."""
    match value:
        case bytes():
            return None
        case dict():
            return {str(name): plain(one) for name, one in value.items()}
        case list():
            return [plain(one) for one in value]
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case timedelta():
            return value.total_seconds()
    return value


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))
