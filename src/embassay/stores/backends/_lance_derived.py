"""The rows of one table in another one, with other vectors: everything else is copied as Arrow has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from embassay.stores.backends._lance_rows import FIELDS, TERMS, column_of, matrix_of, schema_of, vectors_of
from embassay.stores.values import VECTOR, Collection, VectorSpec

if TYPE_CHECKING:
    from embassay.types import Vectors

BLOCK = 8192
"""Rows that are derived at a time."""


def derived_rows(
    table: Any, spec: VectorSpec, collection: Collection, derive: Callable[[Vectors], Vectors], paths: AbstractSet[str]
) -> pa.RecordBatchReader:
    """Rows for `collection` of the rows of `table`, whose vectors are `spec`, that belong to `paths`."""
    schema, names = schema_of(collection), [*(field.name for field in FIELDS), TERMS.name]
    wanted, column = pa.array(sorted(paths), pa.string()), column_of(VECTOR)

    def batches() -> Iterator[pa.RecordBatch]:
        for rows in table.search().select([*names, column]).to_batches(BLOCK):
            kept = rows.filter(pc.is_in(rows["path"], wanted))
            if not len(kept):
                continue
            made = vectors_of(derive(matrix_of(kept[column], spec)), collection.vectors[VECTOR])
            others = [_of_type(kept[name], schema.field(name).type) for name in names]
            yield pa.record_batch([*others, made], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _of_type(column: Any, wanted: pa.DataType) -> Any:
    """Lance reads a column of JSON as plain text."""
    if column.type == wanted:
        return column
    if isinstance(wanted, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(wanted, column.cast(wanted.storage_type))
    return column.cast(wanted)
