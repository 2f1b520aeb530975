"""One version of a table of Lance, for reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.errors import StoreError
from embassay.stores.backends._lance_errors import translated
from embassay.stores.backends._lance_rows import COLUMNS, TERMS, chunks_of, column_of, kept_of, matrix_of
from embassay.stores.backends._lance_settings import LanceSettings
from embassay.stores.backends._lance_sql import to_sql
from embassay.stores.backends._lance_titles import TitledTable
from embassay.stores.backends._lancedb import BooleanQuery, MatchQuery, Occur
from embassay.stores.base import Snapshot
from embassay.stores.coarse import CoarseRows, nearest
from embassay.stores.dtypes import products, unpacked
from embassay.stores.filters.values import Filter, In
from embassay.stores.values import BM25_K1, VECTOR, Collection, Scored, Stats, WeightedTexts
from embassay.text import encodable
from embassay.types import Chunk
from embassay.vectors import storable_rows
from embassay.words.analyser import QUERY_TERMS
from embassay.words.near import TermCounts

if TYPE_CHECKING:
    import pyarrow as pa

    from embassay.stores.coarse import CoarseForm
    from embassay.types import Vectors

    Refs = np.ndarray[Any, np.dtype[np.uint64]]

TERMS_INDEX = f"{TERMS.name}_idx"
"""Of BM25, over the terms of our analyser."""
OLD_INDEX = "indexed_idx"
"""Of a table that was made before there were terms: Lance itself cut the texts, by spaces and as English. Such a table
is searched by it until the next index run has cut them anew (`_lance_forward`)."""
MAX_PROBES = 640
"""Every partition is probed up to a million rows: RaBitQ codes are so small that this costs little, and real
queries lie far from the centroids. On 107,525 rows, recall@10: 0.94 with a quarter of the partitions, 0.98
with half, 0.999 with all, at 5.5, 5.7 and 6.2 ms. IVF_SQ took 16 ms for 0.98, IVF_HNSW_SQ 35 s to build."""
REFINED = 400
"""Candidates whose distance is computed from the full vectors."""
BATCH = 8192
"""Rows, or keys, that one call reads or writes."""


def vector_index(label: str) -> str:
    """The name of the approximate index over the vectors of a label."""
    return f"{column_of(label)}_idx"


class LanceSnapshot(Snapshot):
    """A handle of a table that stays on its version, since it is never asked to check out another.

    Threads share it, and with it the vectors that it holds in memory; there is nothing to give back after a search.
    """

    def __init__(self, table: Any, collection: Collection, settings: LanceSettings) -> None:
        self._table, self._collection, self._settings = table, collection, settings
        self._held: dict[str, tuple[Refs, Vectors]] = {}
        self._coarse: dict[str, CoarseRows] = {}
        self._order: dict[str, Refs] = {}
        self.version = table.version

    def __enter__(self) -> LanceSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be given back."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        spec = self._collection.spec(label)
        if not np.isfinite(vector).all():
            return []
        with translated():
            if vector_index(label) in self._indexes:
                return self._approximate(vector, k, where, label)
            refs, matrix = self._exact(label)
            if where is not None:
                passing = np.isin(refs, self._refs(where))
                refs, matrix = refs[passing], matrix[passing]
            scores = products(matrix, vector, spec.dtype)
            return [Scored(int(refs[i]), float(scores[i])) for i in _largest(scores, k)]

    def coarse(
        self, vector: Vectors, k: int, form: CoarseForm, where: Filter | None = None, *, label: str = VECTOR
    ) -> list[Scored]:
        self._collection.spec(label)
        if not np.isfinite(vector).all():
            return []
        with translated():
            coarse = self._coarse.setdefault(label, CoarseRows()).made(form, lambda: self._read(label))
            refs = self._order[label]
            passing = None if where is None else np.isin(refs, self._refs(where))
            rows, scores = nearest(coarse, form.apply(vector[None])[0], k, passing)
        return [Scored(int(refs[row]), float(score)) for row, score in zip(rows, scores, strict=True)]

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        with translated():
            if not isinstance(query, str) and query.title != 1:
                return self._titled_search(query, k, where)
            asked = self._asked(query)
            if asked is None:
                return []
            search = self._table.search(asked, query_type="fts")
            if where is not None:
                search = search.where(to_sql(where), prefilter=True)
            found = search.limit(k).with_row_id(True).select(["_score"]).to_arrow()
        return _scored(found["_rowid"], found["_score"].to_numpy() / (1 + BM25_K1))

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        spec, column = self._collection.spec(label), column_of(label)
        if not refs or not np.isfinite(vector).all():
            return np.full(len(refs), np.nan, np.float32)
        with translated():
            rows = self._table.take_row_ids(list(dict.fromkeys(refs))).select([column]).with_row_id().to_arrow()
            scores = products(kept_of(rows[column], spec), vector, spec.dtype) if len(rows) else ()
        return _in_order(refs, dict(zip(rows["_rowid"].to_pylist(), scores, strict=True)), np.nan)

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        with translated():
            if refs and not isinstance(query, str) and query.title != 1:
                return self._titled.scores_of(query, refs)
            asked = self._asked(query) if refs else None
            if asked is None:
                return np.zeros(len(refs), np.float32)
            search = self._table.search(asked, query_type="fts")
            if self._settled:
                named = ", ".join(str(int(str(ref))) for ref in refs)
                search = search.where(f"_rowid IN ({named})", prefilter=True).limit(len(refs))
            else:  # a filter would change how rare a term is in rows that the index does not cover yet
                search = search.limit(max(1, self._table.count_rows()))
            rows = search.with_row_id(True).select(["_score"]).to_arrow()
        scores = rows["_score"].to_numpy() / (1 + BM25_K1)
        return _in_order(refs, dict(zip(rows["_rowid"].to_pylist(), scores, strict=True)), 0)

    def _asked(self, query: str | WeightedTexts) -> MatchQuery | BooleanQuery | None:
        """What is asked of the index of words; nothing where a query has none, or a table is without an index."""
        terms = self._collection.asked(query)
        if terms and TERMS_INDEX in self._indexes:
            if isinstance(query, str):
                return MatchQuery(encodable(" ".join(terms)), TERMS.name)
            each = [MatchQuery(encodable(term), TERMS.name, boost=weight) for term, weight in terms.items()]
            return BooleanQuery([(Occur.SHOULD, one) for one in each])
        texts = [query] if isinstance(query, str) else query.weights
        words = [word for text in texts for word in text.replace("\0", " ").split()][:QUERY_TERMS]
        if words and OLD_INDEX in self._indexes and TERMS_INDEX not in self._indexes:
            return MatchQuery(encodable(" ".join(words)), "indexed")
        return None

    def vocabulary(self) -> Mapping[str, int]:
        return self._counted

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        if not refs:
            return []
        with translated():
            found = self._table.take_row_ids(list(refs)).select(COLUMNS).with_row_id().to_arrow()
        chunks = dict(zip(found["_rowid"].to_pylist(), chunks_of(found), strict=True))
        return [chunks[ref] for ref in refs if ref in chunks]

    def count(self, where: Filter | None = None) -> int:
        with translated():
            return int(self._table.count_rows(to_sql(where) if where else None))

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        names = list(names)
        for at in range(0, len(names), BATCH):
            with translated():
                where = to_sql(In(by, tuple(names[at : at + BATCH])))
                for batch in self._table.search().where(where).select(COLUMNS).to_batches(BATCH):
                    yield from chunks_of(batch)

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        spec, column = self._collection.spec(label), column_of(label)
        found: dict[str, Vectors] = {}
        for at in range(0, len(keys), BATCH):
            with translated():
                where = to_sql(In("key", tuple(keys[at : at + BATCH])), columns=("key",))
                rows = self._table.search().where(where).select(["key", column]).to_arrow()
            found |= zip(rows["key"].to_pylist(), matrix_of(rows[column], spec), strict=True)
        return found

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        found: dict[str, Hashable] = {}
        for at in range(0, len(keys), BATCH):
            with translated():
                where = to_sql(In("key", tuple(keys[at : at + BATCH])), columns=("key",))
                rows = self._table.search().where(where).select(["key"]).with_row_id(True).to_arrow()
            found |= zip(rows["key"].to_pylist(), rows["_rowid"].to_pylist(), strict=True)
        return found

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        specs = {label: self._collection.spec(label) for label in labels}
        with translated():
            rows = self._table.search() if where is None else self._table.search().where(to_sql(where))
            for batch in rows.select([*COLUMNS, *map(column_of, specs)]).to_batches(BATCH):
                yield (
                    list(chunks_of(batch)),
                    {label: matrix_of(batch[column_of(label)], spec) for label, spec in specs.items()},
                )

    def derived(
        self, collection: Collection, derive: Callable[[Vectors], Vectors], paths: AbstractSet[str]
    ) -> pa.RecordBatchReader | None:
        """Its rows of these files for another collection; None where that has other labels or words."""
        from embassay.stores.backends._lance_derived import derived_rows

        ours = self._collection
        if {*ours.vectors, *collection.vectors} != {VECTOR} or ours.language != collection.language:
            return None
        if TERMS.name not in self._table.schema.names or TERMS_INDEX not in self._indexes:
            return None
        return derived_rows(self._table, ours.vectors[VECTOR], collection, derive, paths)

    def stats(self) -> Stats:
        with translated():
            rows = self._table.count_rows()
            unindexed = {"lexical": self._unindexed(TERMS_INDEX, rows)}
            for label, spec in self._collection.vectors.items():
                if self._settings.pays(rows, spec):
                    arm = "dense" if label == VECTOR else f"dense {label}"
                    unindexed[arm] = self._unindexed(vector_index(label), rows)
        files = (self._settings.folder / f"{self._collection.name}.lance").rglob("*")
        return Stats(rows, sum(file.stat().st_size for file in files if file.is_file()), unindexed)

    def _unindexed(self, index: str, rows: int) -> int:
        if index not in self._indexes:
            return rows
        stats = self._table.index_stats(index)
        return int(stats.num_unindexed_rows) if stats else 0

    def _titled_search(self, query: WeightedTexts, k: int, where: Filter | None) -> list[Scored]:
        refs, scores = self._titled.refs, self._titled.scores(query)
        if where is not None:
            scores = np.where(np.isin(refs, self._refs(where)), scores, np.float32(0))
        best = _largest(scores, k)
        return [Scored(int(refs[i]), float(scores[i])) for i in best if scores[i] > 0]

    @cached_property
    def _titled(self) -> TitledTable:
        return TitledTable(self._table, self._collection)

    @cached_property
    def _counted(self) -> Mapping[str, int]:
        """How many rows have each term: the terms of all rows are read for it, since the index does not list them."""
        found: Counter[str] = Counter()
        with translated():
            if TERMS.name in self._table.schema.names:
                for batch in self._table.search().select([TERMS.name]).to_batches(BATCH):
                    for terms in batch[TERMS.name].to_pylist():
                        found.update(set((terms or "").split(" ")))
        found.pop("", None)
        return TermCounts(found)

    @cached_property
    def _settled(self) -> bool:
        """Whether the index of words covers every row."""
        return not self._unindexed(TERMS_INDEX, 1)

    @cached_property
    def _indexes(self) -> frozenset[str]:
        return frozenset(index.name for index in self._table.list_indices())

    def _read(self, label: str) -> Iterator[Vectors]:
        """The vectors of all rows, in blocks, always in the order of their row ids."""
        spec, column = self._collection.spec(label), column_of(label)
        if label not in self._order:
            rows = self._table.search().select([]).with_row_id(True).to_arrow()
            self._order[label] = np.sort(rows["_rowid"].to_numpy())
        for at in range(0, len(self._order[label]), BATCH):
            wanted = self._order[label][at : at + BATCH]
            rows = self._table.take_row_ids(wanted.tolist()).select([column]).with_row_id().to_arrow()
            order = np.argsort(rows["_rowid"].to_numpy())
            yield matrix_of(rows[column].combine_chunks(), spec)[order]

    def _exact(self, label: str) -> tuple[Refs, Vectors]:
        """Row ids and vectors of a collection without an index: they are held in memory.

        They are float32 as long as they are few; many of ``int8``, over which there is no index, stay as they are kept.
        """
        if label not in self._held:
            column, spec = column_of(label), self._collection.spec(label)
            rows = self._table.search().select([column]).with_row_id(True).to_arrow()
            refs, kept = rows["_rowid"].to_numpy(), kept_of(rows[column], spec)
            if spec.dtype == "int8" and self._settings.is_large(len(refs), spec):
                self._held[label] = refs, kept
                return self._held[label]
            matrix = unpacked(kept, spec.dtype)
            sound = storable_rows(matrix, spec.similarity)
            if not sound.all():
                raise self._damaged(refs[~sound])
            self._held[label] = refs, matrix
        return self._held[label]

    def _damaged(self, refs: Refs) -> StoreError:
        """The error for stored vectors that no model can have made; it names the first of them."""
        (chunk,) = self.fetch([int(refs[0])])
        return StoreError(
            f"{len(refs):,} stored vectors are damaged, first that of {chunk.path}, lines {chunk.lines[0]}-"
            f"{chunk.lines[1]}: they have no length that a vector can have.",
            remedy=remedy.command("index", "FOLDER", set="NAME", say="Index into a new set"),
        )

    def _approximate(self, vector: Vectors, k: int, where: Filter | None, label: str) -> list[Scored]:
        search = self._table.search(vector, vector_column_name=column_of(label)).distance_type("dot")
        search = search.nprobes(MAX_PROBES).refine_factor(max(2, REFINED // k))
        if where is not None:  # few rows may pass: go on probing until k are found
            search = search.where(to_sql(where), prefilter=True).minimum_nprobes(MAX_PROBES).maximum_nprobes(0)
        found = search.limit(k).with_row_id(True).select(["_distance"]).to_arrow()
        return _scored(found["_rowid"], 1 - found["_distance"].to_numpy())

    def _refs(self, where: Filter) -> Refs:
        rows = self._table.search().where(to_sql(where)).select(["key"]).with_row_id(True).to_arrow()
        return np.asarray(rows["_rowid"].to_numpy())


def _scored(refs: Any, scores: Vectors) -> list[Scored]:
    return [Scored(ref, float(score)) for ref, score in zip(refs.to_pylist(), scores, strict=True)]


def _in_order(refs: Sequence[Hashable], scores: Mapping[Hashable, float], missing: float) -> Vectors:
    """The score of each of `refs`, in their order."""
    return np.array([scores.get(ref, missing) for ref in refs], np.float32)


def _largest(scores: Vectors, k: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    best = np.argpartition(scores, -k)[-k:] if k < len(scores) else np.arange(len(scores))
    return best[np.argsort(-scores[best], kind="stable")]
