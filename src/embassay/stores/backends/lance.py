"""LanceDB, embedded: on disk, several processes, ANN and BM25.

Three of its traits shape this file. Concurrent merges of the same new keys double rows unless the key is an
unenforced primary key *and* the merge ignores scalar indexes. Its flat vector scan is slow (about 1.4 µs a
row against 0.05 in numpy), so small collections are held in memory and large ones get an index early. Its
BM25 scan of rows outside the index costs 3 to 4 µs a row, so writers extend the index as they go.
"""

from __future__ import annotations

import errno
import json
import math
import shutil
import sys
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from embassay.errors import HomeNotWritable, StoreError
from embassay.stores.backends._lance_sql import to_sql
from embassay.stores.base import Scored, Stats
from embassay.stores.filters import Filter, In
from embassay.text import encodable
from embassay.types import Chunk, Metadata

if TYPE_CHECKING:
    from embassay.types import Vectors


def _skip_rest_client() -> None:
    """Importing lancedb builds a REST client that an embedded store never calls: 0.55 of its 1.35 seconds.

    An empty package in its place leaves its submodules importable and skips the rest.
    """
    name = "lance_namespace_urllib3_client"
    if name not in sys.modules and (spec := util.find_spec(name)) and spec.submodule_search_locations:
        package = ModuleType(name)
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules[name] = package


_skip_rest_client()

import lancedb  # noqa: E402
from lancedb.index import FTS, IvfRq  # noqa: E402
from lancedb.query import MatchQuery  # noqa: E402

EXACT_BYTES = 256_000_000
"""Vectors up to this size (166,000 of 384 dimensions) are searched exactly, in memory: 107,525 of them take
3.6 ms, less than any index of Lance at a recall of 0.99. Above, an IVF_RQ index pays."""
PARTITION_ROWS = 1600
MAX_PROBES = 640
"""Every partition is probed up to a million rows: RaBitQ codes are so small that this costs little, and real
queries lie far from the centroids. On 107,525 rows, recall@10: 0.94 with a quarter of the partitions, 0.98
with half, 0.999 with all, at 5.5, 5.7 and 6.2 ms. IVF_SQ took 16 ms for 0.98, IVF_HNSW_SQ 35 s to build."""
REFINED = 400
"""Candidates whose distance is computed from the full vectors."""
FOLD_SHARE = 8
"""During a run an index is built anew when more than one row in this many, and MIN_FOLD, are outside it."""
MIN_FOLD = 16_384
MAX_SEGMENTS = 4
"""An index extended more often than this is built anew: each segment is a search of its own."""
KEEP_VERSIONS = timedelta(minutes=10)
"""Older versions are removed; a shorter age could pull files from under a running search."""
QUERY_WORDS = 256
"""BM25 is given this many words of a query: the cost grows faster than the length."""
BATCH = 8192

_FIELDS = [
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
_COLUMNS = [field.name for field in _FIELDS]
_INDEXES = {
    "indexed_idx": ("indexed", FTS(with_position=False)),
    "vector_idx": (
        "vector",
        IvfRq(distance_type="dot", target_partition_size=PARTITION_ROWS, max_iterations=10, sample_rate=64),
    ),
}


class LanceStore:
    def __init__(self, place: Path, name: str, dimensions: int, *, create: bool = False) -> None:
        self.dimensions = dimensions
        self._name = name
        self._folder = place.absolute() / f"{name}.lance"
        self._lock = threading.Lock()
        if not create and not self._folder.is_dir():
            raise StoreError(
                "the vectors of this set are missing.", remedy="Index again: embassay index FOLDER --checksum"
            )
        with _translated():
            self._database = lancedb.connect(str(place.absolute()))
            if create and not self._is_whole():
                self._create()
            self._table = self._open()
        self._current: LanceSnapshot | None = None

    def _is_whole(self) -> bool:
        """Whether the table was created to its last step, which is the index of words."""
        try:
            return any(index.name == "indexed_idx" for index in self._open().list_indices())
        except (ValueError, RuntimeError):
            return False

    def _create(self) -> None:
        """The remains of a killed creation hold no rows: none are written before the last step."""
        shutil.rmtree(self._folder, ignore_errors=True)
        table = self._database.create_table(self._name, schema=_schema(self.dimensions), exist_ok=True)
        table.set_unenforced_primary_key("key")
        column, config = _INDEXES["indexed_idx"]  # without an index there is no BM25 search at all
        table.create_index(column, config=config, name="indexed_idx")

    def _open(self) -> Any:
        return self._database.open_table(self._name)

    def upsert(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        with _translated():
            for at in range(0, len(chunks), BATCH):
                rows = _rows(chunks[at : at + BATCH], vectors[at : at + BATCH])
                merge = self._table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all()
                merge.use_index(False).execute(rows)

    def delete(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        with _translated():
            for at in range(0, len(keys), BATCH):
                self._table.delete(to_sql(In("key", tuple(keys[at : at + BATCH])), columns=("key",)))

    def snapshot(self) -> LanceSnapshot:
        with _translated(), self._lock:
            self._table.checkout_latest()
            version = self._table.version
            if self._current is None or self._current.version != version:
                self._current = LanceSnapshot(self._open(), self.dimensions, self._folder)
            return self._current

    def optimise(self, *, thorough: bool = False) -> None:
        """Indexes are built anew rather than extended during a run: extending would compact the whole table."""
        with _translated():
            self._table.checkout_latest()
            rows = self._table.count_rows()
            wanted = _INDEXES if _pays(rows, self.dimensions) else {"indexed_idx": _INDEXES["indexed_idx"]}
            stale = [name for name in wanted if rows and self._is_stale(name, rows)]
            if thorough and rows:
                self._table.optimize(cleanup_older_than=KEEP_VERSIONS)
            for name in stale:
                column, config = _INDEXES[name]
                self._table.create_index(column, config=config, replace=True, name=name)

    def _is_stale(self, name: str, rows: int) -> bool:
        stats = self._table.index_stats(name)
        if stats is None:
            return True
        return bool(stats.num_indices > MAX_SEGMENTS or stats.num_unindexed_rows > max(MIN_FOLD, rows // FOLD_SHARE))

    def drop(self) -> None:
        with _translated():
            self._database.drop_table(self._name, ignore_missing=True)


class LanceSnapshot:
    """A table handle that stays on its version: it is never asked to check out another."""

    def __init__(self, table: Any, dimensions: int, folder: Path) -> None:
        self._table, self._dimensions, self._folder = table, dimensions, folder
        self.version = table.version

    def __enter__(self) -> LanceSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held that has to be given back."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        if not np.isfinite(vector).all():
            return []
        with _translated():
            if self._exact is None:
                return self._approximate(vector, k, where)
            refs, matrix = self._exact
            if where is not None:
                passing = np.isin(refs, self._refs(where))
                refs, matrix = refs[passing], matrix[passing]
            scores = matrix @ vector
            best = _largest(scores, k)
            return [Scored(int(refs[i]), float(scores[i])) for i in best]

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Scored]:
        words = " ".join(query.replace("\0", " ").split()[:QUERY_WORDS])
        if not words or not self._has_words_index:
            return []
        with _translated():
            search = self._table.search(MatchQuery(encodable(words), "indexed"), query_type="fts")
            if where is not None:
                search = search.where(to_sql(where), prefilter=True)
            found = search.limit(k).with_row_id(True).select(["_score"]).to_arrow()
        return _scored(found["_rowid"], found["_score"].to_numpy())

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        if not refs:
            return []
        with _translated():
            found = self._table.take_row_ids(list(refs)).select(_COLUMNS).with_row_id().to_arrow()
        chunks = dict(zip(found["_rowid"].to_pylist(), _chunks(found), strict=True))
        return [chunks[ref] for ref in refs if ref in chunks]

    def count(self, where: Filter | None = None) -> int:
        with _translated():
            return int(self._table.count_rows(to_sql(where) if where else None))

    def chunks(self, paths: Iterable[str]) -> Iterator[Chunk]:
        paths = list(paths)
        for at in range(0, len(paths), BATCH):
            with _translated():
                where = to_sql(In("path", tuple(paths[at : at + BATCH])))
                batches = self._table.search().where(where).select(_COLUMNS).to_batches(BATCH)
                for batch in batches:
                    yield from _chunks(batch)

    def vectors(self, keys: Sequence[str]) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        for at in range(0, len(keys), BATCH):
            with _translated():
                where = to_sql(In("key", tuple(keys[at : at + BATCH])), columns=("key",))
                rows = self._table.search().where(where).select(["key", "vector"]).to_arrow()
            found |= zip(rows["key"].to_pylist(), _matrix(rows["vector"], self._dimensions), strict=True)
        return found

    def scan(self) -> Iterator[tuple[list[Chunk], Vectors]]:
        with _translated():
            for batch in self._table.search().select([*_COLUMNS, "vector"]).to_batches(BATCH):
                yield list(_chunks(batch)), _matrix(batch["vector"], self._dimensions)

    def stats(self) -> Stats:
        with _translated():
            rows = self._table.count_rows()
            unindexed = {"lexical": rows if not self._has_words_index else self._unindexed("indexed_idx")}
            if _pays(rows, self._dimensions):
                unindexed["dense"] = self._unindexed("vector_idx") if "vector_idx" in self._indexes else rows
        size = sum(f.stat().st_size for f in self._folder.rglob("*") if f.is_file())
        return Stats(rows, size, unindexed)

    def _unindexed(self, index: str) -> int:
        stats = self._table.index_stats(index)
        return int(stats.num_unindexed_rows) if stats else 0

    @cached_property
    def _indexes(self) -> frozenset[str]:
        return frozenset(index.name for index in self._table.list_indices())

    @property
    def _has_words_index(self) -> bool:
        return "indexed_idx" in self._indexes

    @cached_property
    def _exact(self) -> tuple[np.ndarray[Any, np.dtype[np.uint64]], Vectors] | None:
        """Row ids and vectors of a small collection, held in memory; None for a large one with an index."""
        if "vector_idx" in self._indexes:
            return None
        rows = self._table.search().select(["vector"]).with_row_id(True).to_arrow()
        return rows["_rowid"].to_numpy(), _matrix(rows["vector"], self._dimensions)

    def _approximate(self, vector: Vectors, k: int, where: Filter | None) -> list[Scored]:
        search = self._table.search(vector, vector_column_name="vector").distance_type("dot")
        search = search.nprobes(MAX_PROBES).refine_factor(max(2, REFINED // k))
        if where is not None:  # few rows may pass: go on probing until k are found
            search = search.where(to_sql(where), prefilter=True).minimum_nprobes(MAX_PROBES).maximum_nprobes(0)
        found = search.limit(k).with_row_id(True).select(["_distance"]).to_arrow()
        return _scored(found["_rowid"], 1 - found["_distance"].to_numpy())

    def _refs(self, where: Filter) -> np.ndarray[Any, np.dtype[np.uint64]]:
        rows = self._table.search().where(to_sql(where)).select(["key"]).with_row_id(True).to_arrow()
        return np.asarray(rows["_rowid"].to_numpy())


def _pays(rows: int, dimensions: int) -> bool:
    """Whether an ANN index does."""
    return rows * dimensions * 4 > EXACT_BYTES


def open_store(place: Path, name: str, dimensions: int, *, create: bool = False) -> LanceStore:
    return LanceStore(place, name, dimensions, create=create)


def _schema(dimensions: int) -> pa.Schema:
    return pa.schema([*_FIELDS, pa.field("vector", pa.list_(pa.float32(), dimensions), nullable=False)])


def _rows(chunks: Sequence[Chunk], vectors: Vectors) -> pa.Table:
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
        "metadata": [_to_json(c.metadata) for c in chunks],
    }
    arrays = [
        pa.ExtensionArray.from_storage(field.type, pa.array(values[field.name], pa.utf8()))
        if field.name == "metadata"
        else pa.array(values[field.name], field.type)
        for field in _FIELDS
    ]
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    arrays.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
    return pa.table(arrays, schema=_schema(vectors.shape[1]))


def _chunks(rows: Any) -> Iterator[Chunk]:
    columns = [rows[name].to_pylist() for name in _COLUMNS]
    for key, document, path, section, indexed, body_at, first, last, start, end, tokens, truncated, meta in zip(
        *columns, strict=True
    ):
        metadata = json.loads(meta) if meta and meta != "{}" else {}
        yield Chunk(
            key, document, path, section, indexed, body_at, (first, last), (start, end), tokens, truncated, metadata
        )


def _matrix(column: Any, dimensions: int) -> Vectors:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0)
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(-1, dimensions)


def _scored(refs: Any, scores: Vectors) -> list[Scored]:
    return [Scored(ref, float(score)) for ref, score in zip(refs.to_pylist(), scores, strict=True)]


def _largest(scores: Vectors, k: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    best = np.argpartition(scores, -k)[-k:] if k < len(scores) else np.arange(len(scores))
    return best[np.argsort(-scores[best], kind="stable")]


def _to_json(metadata: Metadata) -> str:
    clean = {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in metadata.items()}
    return json.dumps(clean)


@contextmanager
def _translated() -> Iterator[None]:
    """LanceDB has no error classes of its own: everything is a text in a ValueError, RuntimeError or OSError."""
    try:
        yield
    except (ValueError, RuntimeError, OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())
        number = getattr(error, "errno", None)
        if "os error 28" in text or "No space left" in text or number == errno.ENOSPC:
            raise HomeNotWritable(
                "the disk is full; what was stored before is intact.", remedy="Free some space and run it again."
            ) from error
        if "os error 30" in text or "os error 13" in text or number in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise HomeNotWritable(f"the vector store cannot be written: {text[:200]}") from error
        raise StoreError(
            f"the vector store failed: {text[:300]}",
            remedy="Run embassay doctor; if files are damaged, index again into a new set.",
        ) from error
