"""Chunks and their vectors as rows of an Arrow table, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from embassay.stores.backends._lance_metadata import from_json, to_json
from embassay.stores.dtypes import packed, unpacked
from embassay.stores.values import VECTOR, Collection, VectorSpec
from embassay.text import encodable
from embassay.types import Chunk
from embassay.words.analyser import VERSION

if TYPE_CHECKING:
    from embassay.space import Similarity
    from embassay.types import Vectors

FIELDS = [
    pa.field("key", pa.string(), nullable=False),
    pa.field("document", pa.string()),
    pa.field("path", pa.string()),
    pa.field("section", pa.string()),
    pa.field("indexed", pa.string()),
    pa.field("body_at", pa.int32()),
    pa.field("first_line", pa.int32()),
    pa.field("last_line", pa.int32()),
    pa.field("start", pa.int64()),
    pa.field("end", pa.int64()),
    pa.field("tokens", pa.int32()),
    pa.field("truncated", pa.bool_()),
    pa.field("metadata", pa.json_(pa.utf8())),
]
COLUMNS = [field.name for field in FIELDS]
"""What a chunk is read from."""
TERMS = pa.field(f"terms_{VERSION}", pa.string())
"""The terms of a chunk, joined by spaces. Those that other rules made are in a column of another name; a row without
any was written before there were such columns."""
SIMILARITY = "similarity"
"""Under which a column of vectors says how they are compared."""
ARROW = {"float32": pa.float32(), "float16": pa.float16(), "int8": pa.int8()}
"""The type of Arrow for each of `embassay.stores.dtypes`."""
COLLECTION = "embassay.collection"
"""Under which a table says which collection it is."""


def column_of(label: str) -> str:
    """The column of a label. The default label is the column ``vector``, as in tables that are older than labels."""
    return label if label == VECTOR else f"vector_{label}"


def schema_of(collection: Collection) -> pa.Schema:
    """The columns of a table: those of a chunk, and one for the vectors of each label.

    A column whose vectors are not compared by cosine says how; one that says nothing is compared by cosine. The table
    says which collection it is, so that one which was moved into the place of another is noticed.
    """
    vectors = [
        pa.field(
            column_of(label),
            pa.list_(ARROW[spec.dtype], spec.dimensions),
            nullable=False,
            metadata=None if spec.similarity == "cosine" else {SIMILARITY: spec.similarity},
        )
        for label, spec in collection.vectors.items()
    ]
    return pa.schema([*FIELDS, TERMS, *vectors], metadata={COLLECTION: collection.name})


def collection_in(schema: pa.Schema) -> str:
    """Which collection a table is; empty for a table of before it said so."""
    said: bytes = (schema.metadata or {}).get(COLLECTION.encode(), b"")
    return said.decode("utf-8", "replace")


def vector_columns(schema: pa.Schema) -> dict[str, VectorSpec]:
    """The columns of vectors that a table has."""
    return {
        field.name: VectorSpec(field.type.list_size, _dtype(field), similarity=_similarity(field))
        for field in schema
        if pa.types.is_fixed_size_list(field.type)
    }


def _dtype(field: pa.Field) -> str:
    """What its numbers are kept as; the name that Arrow has for it where that is none of ours."""
    kept = field.type.value_type
    return next((name for name, arrow in ARROW.items() if arrow == kept), str(kept))


def _similarity(field: pa.Field) -> Similarity:
    said = (field.metadata or {}).get(SIMILARITY.encode(), b"cosine")
    return "dot" if said == b"dot" else "cosine"


def rows_of(collection: Collection, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors]) -> pa.Table:
    """A table of `chunks`, in the schema of `collection`."""
    values: dict[str, list[Any]] = {
        "key": [c.key for c in chunks],
        "document": [encodable(c.document) for c in chunks],
        "path": [encodable(c.path) for c in chunks],
        "section": [encodable(c.section) for c in chunks],
        "indexed": [encodable(c.indexed) for c in chunks],
        "body_at": [c.body_at for c in chunks],
        "first_line": [c.lines[0] for c in chunks],
        "last_line": [c.lines[1] for c in chunks],
        "start": [c.span[0] for c in chunks],
        "end": [c.span[1] for c in chunks],
        "tokens": [c.tokens for c in chunks],
        "truncated": [c.truncated for c in chunks],
        "metadata": [to_json(c.metadata) for c in chunks],
    }
    arrays = [
        pa.ExtensionArray.from_storage(field.type, pa.array(values[field.name], pa.utf8()))
        if field.name == "metadata"
        else pa.array(values[field.name], field.type)
        for field in FIELDS
    ]
    arrays.append(terms_of(collection, [c.indexed for c in chunks]))
    for label, spec in collection.vectors.items():
        arrays.append(vectors_of(vectors[label], spec))
    return pa.table(arrays, schema=schema_of(collection))


def vectors_of(vectors: Vectors, spec: VectorSpec) -> pa.Array:
    """Rows (n, dimensions) as a column, in the type that they are kept as."""
    flat = pa.array(packed(vectors, spec.dtype).reshape(-1), ARROW[spec.dtype])
    return pa.FixedSizeListArray.from_arrays(flat, spec.dimensions)


def terms_of(collection: Collection, texts: Iterable[str]) -> pa.Array:
    """The column `TERMS` of rows with these texts."""
    analyser = collection.analyser
    return pa.array([encodable(" ".join(analyser.terms(text))) for text in texts], TERMS.type)


def chunks_of(rows: Any) -> Iterator[Chunk]:
    """The chunks of an Arrow table or batch that has all of COLUMNS."""
    columns = [rows[name].to_pylist() for name in COLUMNS]
    for key, document, path, section, indexed, body_at, first, last, start, end, tokens, truncated, meta in zip(
        *columns, strict=True
    ):
        metadata = from_json(meta) if meta and meta != "{}" else {}
        yield Chunk(
            key, document, path, section, indexed, body_at, (first, last), (start, end), tokens, truncated, metadata
        )


def matrix_of(column: Any, spec: VectorSpec) -> Vectors:
    """A column of vectors as an array: float32 (rows, dimensions)."""
    return unpacked(kept_of(column, spec), spec.dtype)


def kept_of(column: Any, spec: VectorSpec) -> Any:
    """The same in the type that it is kept as."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0)
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(-1, spec.dimensions)
