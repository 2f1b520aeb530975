"""A table of LanceDB as a store: see `lance` for where it lies.

Three of its traits shape this store. Concurrent merges of the same new keys double rows, unless the key is an
unenforced primary key *and* the merge ignores scalar indexes. Its flat scan of vectors is slow (about 1.4 µs a row
against 0.05 in numpy), so small collections are held in memory and large ones get an index early. Its BM25 scan of
rows outside the index costs 3 to 4 µs a row, so writers extend the index as they go.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.errors import StoreError
from embassay.stores.backends._lance_errors import translated
from embassay.stores.backends._lance_forward import add_terms, index_terms
from embassay.stores.backends._lance_rows import TERMS, collection_in, column_of, rows_of, schema_of, vector_columns
from embassay.stores.backends._lance_settings import LanceSettings
from embassay.stores.backends._lance_snapshot import BATCH, OLD_INDEX, TERMS_INDEX, LanceSnapshot, vector_index
from embassay.stores.backends._lance_sql import to_sql
from embassay.stores.backends._lancedb import IvfRq, connect
from embassay.stores.base import RowStore, Snapshot
from embassay.stores.filters.values import In
from embassay.stores.values import Collection
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors

PARTITION_ROWS = 1600
FOLD_SHARE = 8
"""During a run an index is built anew when more than one row in this many, and `min_fold`, are outside it."""
MAX_SEGMENTS = 4
"""An index extended more often than this is built anew: each segment is a search of its own."""
MAX_FRAGMENTS, ROWS_PER_FRAGMENT, MOST_FRAGMENTS = 32, 1024, 256
"""A table of more fragments than this, and one more for so many rows, is compacted: each call leaves at least one, and
every upsert that replaces rows opens all of them. But compacting copies all rows, which lie on the disk twice until the
old versions are removed, so that a run which only adds rows, a thousand at a time, shall not need it."""
SWAPPED_ROWS = 50_000
"""Rows of a table up to which rows are added and removed in one version. Lance reads all columns for that: 16 ms for
one row among 20,000 and 0.4 s among 120,000, against 15 ms and 60 ms in two versions."""
KEEP_VERSIONS = timedelta(minutes=10)
"""Older versions are removed; a shorter age could pull files from under a running search."""

KEEP_SCATTERED = timedelta(minutes=2)
"""The same behind many small writes: each makes a version, and files that the next one has to look through."""


class LanceStore(RowStore):
    """One table of a folder."""

    def __init__(self, settings: LanceSettings, collection: Collection, *, create: bool = False) -> None:
        self.collection = collection
        self._settings = settings
        self._folder = settings.folder / f"{collection.name}.lance"
        self._lock = threading.Lock()
        self._current: LanceSnapshot | None = None
        if not create and not self._folder.is_dir():
            raise StoreError(
                "the vectors of this set are missing.",
                remedy=remedy.command("index", "FOLDER", set="NAME", checksum=True, say="Index again"),
            )
        with translated():
            self._database = connect(str(settings.folder.absolute()))
            if create and not self._is_whole():
                self._create()
            self._open_table: Any = self._open()
            self._check(self._open_table.schema)

    def _is_whole(self) -> bool:
        """Whether the table was created to its last step, which is the index of words."""
        try:
            return any(index.name in (TERMS_INDEX, OLD_INDEX) for index in self._open().list_indices())
        except (ValueError, RuntimeError):
            return False

    def _create(self) -> None:
        """Make the table anew. The remains of a killed creation hold no rows: none are written before the last step."""
        shutil.rmtree(self._folder, ignore_errors=True)
        table = self._database.create_table(self.collection.name, schema=schema_of(self.collection), exist_ok=True)
        table.set_unenforced_primary_key("key")
        index_terms(table)

    def _open(self) -> Any:
        return self._database.open_table(self.collection.name)

    def _check(self, schema: Any) -> None:
        """Raises StoreError where the table was made with other vectors, or for another collection."""
        found, name = vector_columns(schema), collection_in(schema)
        if name not in ("", self.collection.name):
            raise StoreError(
                f"{self._folder} holds the collection {name}, not {self.collection.name}: it was moved by hand.",
                remedy="Put the folders back where they were.",
            )
        expected = {column_of(label): spec for label, spec in self.collection.vectors.items()}
        if found != expected:
            here, asked = (
                ", ".join(
                    f"{column} ({spec.dimensions}, {spec.dtype}, {spec.similarity})"
                    for column, spec in sorted(columns.items())
                )
                for columns in (found, expected)
            )
            raise StoreError(
                f"the collection {self.collection.name} has the vectors {here}; asked for were {asked}.",
                remedy=remedy.command("index", "FOLDER", set="NAME", say="Index into a new set"),
            )

    @property
    def _table(self) -> Any:
        if self._open_table is None:
            raise StoreError("the store is closed.")
        return self._open_table

    def upsert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], stale: Sequence[str] = ()) -> None:
        """Old and new rows change places in one version where both are few and the table is small."""
        self.collection.check_rows(len(chunks), vectors)
        with translated():
            table = self._latest()
            at_once = 0 < len(chunks) <= BATCH and 0 < len(stale) <= BATCH and table.count_rows() <= SWAPPED_ROWS
            for at in range(0, len(chunks), BATCH):
                part = {label: rows[at : at + BATCH] for label, rows in vectors.items()}
                merge = table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all()
                if at_once:
                    merge = merge.when_not_matched_by_source_delete(_of_keys(stale))
                merge.use_index(False).execute(rows_of(self.collection, chunks[at : at + BATCH], part))
        if not at_once:
            written = {chunk.key for chunk in chunks}
            self.delete([key for key in stale if key not in written])

    def insert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors]) -> None:
        """A merge reads the keys of the whole table, so that a long run would take ever longer for each row."""
        self.collection.check_rows(len(chunks), vectors)
        with translated():
            table = self._latest()
            table.add(rows_of(self.collection, chunks, vectors))

    def _latest(self) -> Any:
        """The latest version, with a column for terms, which a table of before there were any lacks."""
        table = self._table
        table.checkout_latest()
        if TERMS.name not in table.schema.names:
            table.add_columns(TERMS)
        return table

    def delete(self, keys: Iterable[str]) -> None:
        table, keys = self._table, list(keys)
        with translated():
            table.checkout_latest()
            for at in range(0, len(keys), BATCH):
                table.delete(_of_keys(keys[at : at + BATCH]))

    def take_over(self, version: Snapshot, derive: Callable[[Vectors], Vectors], paths: AbstractSet[str]) -> bool:
        """Rows go from table to table in blocks, with the terms that were cut of them."""
        table = self._table
        with translated():
            rows = version.derived(self.collection, derive, paths) if isinstance(version, LanceSnapshot) else None
            if rows is None:
                return False
            table.checkout_latest()
            if table.count_rows():
                table.delete("true")
            table.add(rows)
        return True

    def snapshot(self) -> LanceSnapshot:
        with translated(), self._lock:
            self._table.checkout_latest()
            version = self._table.version
            if self._current is None or self._current.version != version:
                self._current = LanceSnapshot(self._open(), self.collection, self._settings)
            return self._current

    def optimise(self, *, thorough: bool = False) -> None:
        """Indexes are built anew rather than extended during a run: extending would compact the whole table."""
        self._tidy(thorough=thorough, indexes=True)

    def compact(self, *, thorough: bool = False) -> None:
        """The same without indexes. A table that is older than terms gets them, with their index."""
        self._tidy(thorough=thorough, indexes=False)

    def _tidy(self, *, thorough: bool, indexes: bool) -> None:
        table = self._table
        with translated():
            table.checkout_latest()
            rows = table.count_rows()
            old_words = self._has_old_words()
            if old_words and thorough and rows:
                add_terms(table, self.collection)
            words = indexes and bool(rows) and not old_words and self._is_stale(TERMS_INDEX, rows)
            labels = [
                label
                for label, spec in self.collection.vectors.items()
                if indexes and self._settings.pays(rows, spec) and self._is_stale(vector_index(label), rows)
            ]
            if rows and thorough and (indexes or self._has_deletions()):
                table.optimize(cleanup_older_than=KEEP_VERSIONS)
            elif rows and self._is_scattered(table, rows):
                table.optimize(cleanup_older_than=KEEP_SCATTERED)
            if words:
                index_terms(table)
            for label in labels:
                self._index_vectors(table, label)

    def _has_old_words(self) -> bool:
        """Whether the table was made before there were terms, and was not moved forward to its last step."""
        names = {index.name for index in self._table.list_indices()}
        return OLD_INDEX in names or TERMS_INDEX not in names

    def _has_deletions(self) -> bool:
        """Whether files hold rows that were deleted, or replaced."""
        return any((self._folder / "_deletions").glob("*"))

    def _is_scattered(self, table: Any, rows: int) -> bool:
        """Whether many small writes have left more fragments than searches can open in passing."""
        fragments = table.stats()["fragment_stats"]["num_fragments"]
        return bool(fragments > min(MAX_FRAGMENTS + rows // ROWS_PER_FRAGMENT, MOST_FRAGMENTS))

    def _index_vectors(self, table: Any, label: str) -> None:
        config = IvfRq(distance_type="dot", target_partition_size=PARTITION_ROWS, max_iterations=10, sample_rate=64)
        table.create_index(column_of(label), config=config, name=vector_index(label), replace=True)

    def _is_stale(self, name: str, rows: int) -> bool:
        stats = self._table.index_stats(name)
        if stats is None:
            return True
        outside = max(self._settings.min_fold, rows // FOLD_SHARE)
        return bool(stats.num_indices > MAX_SEGMENTS or stats.num_unindexed_rows > outside)

    def drop(self) -> None:
        self._table  # noqa: B018 - raises if the store is closed
        with translated():
            self._database.drop_table(self.collection.name, ignore_missing=True)

    def close(self) -> None:
        with self._lock:
            self._open_table = self._current = None


def _of_keys(keys: Sequence[str]) -> str:
    return to_sql(In("key", tuple(keys)), columns=("key",))
