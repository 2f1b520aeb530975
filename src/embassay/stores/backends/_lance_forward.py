"""The index of terms, and how a table that was made before there were terms gets them.

Nothing but the new column is written: a row keeps its vectors, and searches go on in the version that they began with.
A run that is killed in between leaves rows without terms, which the next one finds; the old index is dropped last, so
that there always is one that knows every row.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from embassay.stores.backends._lance_rows import FIELDS, TERMS, terms_of
from embassay.stores.backends._lance_snapshot import BATCH, OLD_INDEX, TERMS_INDEX
from embassay.stores.backends._lancedb import FTS
from embassay.stores.values import Collection

_PART = pa.schema([FIELDS[0], TERMS])


def index_terms(table: Any) -> None:
    """Build the index of terms anew. They are cut already: the index takes what stands between spaces as it is."""
    config = FTS(
        with_position=False,
        base_tokenizer="whitespace",
        max_token_length=None,
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
    )
    table.create_index(TERMS.name, config=config, name=TERMS_INDEX, replace=True)


def add_terms(table: Any, collection: Collection) -> None:
    """Cut the texts of all rows that have no terms yet, and put the index of terms into the place of the old one."""
    if TERMS.name not in table.schema.names:
        table.add_columns(TERMS)
    lacking = f"{TERMS.name} IS NULL"
    while rows := table.search().where(lacking).select(["key", "indexed"]).limit(BATCH).to_arrow():
        part = pa.table([rows["key"], terms_of(collection, rows["indexed"].to_pylist())], schema=_PART)
        table.merge_insert("key").when_matched_update_all().use_index(False).execute(part)
    index_terms(table)
    if any(index.name == OLD_INDEX for index in table.list_indices()):
        table.drop_index(OLD_INDEX)
