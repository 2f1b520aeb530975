"""The exact store, in memory: slow and obvious, what the others are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.errors import StoreError
from embassay.stores.base import Snapshot, Store
from embassay.stores.coarse import CoarseRows, nearest
from embassay.stores.dtypes import DTYPES, rounded
from embassay.stores.filters.meaning import predicate
from embassay.stores.filters.values import Filter
from embassay.stores.titles import TitledWords
from embassay.stores.values import (
    BM25_B,
    BM25_K1,
    VECTOR,
    Capabilities,
    Collection,
    Scored,
    Stats,
    WeightedTexts,
    title_weight,
)
from embassay.types import Chunk
from embassay.words.near import TermCounts

if TYPE_CHECKING:
    from embassay.stores.coarse import CoarseForm
    from embassay.types import Vectors

CAPABILITIES = Capabilities(frozenset(DTYPES), persistent=False, similarities=frozenset({"cosine", "dot"}))


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """Memory needs no settings."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A chunk and its vector under each label."""

    chunk: Chunk
    vectors: Mapping[str, Vectors]


class MemoryStore(Store):
    """Rows in a dictionary that is never changed, but replaced: a snapshot keeps the one it was taken of."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._rows: dict[str, StoredRow] | None = {}
        self._snapshot: MemorySnapshot | None = None

    def upsert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], stale: Sequence[str] = ()) -> None:
        self.collection.check_rows(len(chunks), vectors)
        kept = {label: rounded(rows, self.collection.vectors[label].dtype) for label, rows in vectors.items()}
        new = {
            chunk.key: StoredRow(chunk, {label: rows[at] for label, rows in kept.items()})
            for at, chunk in enumerate(chunks)
        }
        gone = set(stale)
        self._replace({key: row for key, row in self._opened().items() if key not in gone} | new)

    def delete(self, keys: Iterable[str]) -> None:
        gone = set(keys)
        self._replace({key: row for key, row in self._opened().items() if key not in gone})

    def snapshot(self) -> MemorySnapshot:
        rows = self._opened()
        if self._snapshot is None:
            self._snapshot = MemorySnapshot(list(rows.values()), self.collection)
        return self._snapshot

    def optimise(self, *, thorough: bool = False) -> None:  # noqa: ARG002
        """Nothing has to be done, because every search is exact."""
        self._opened()

    def drop(self) -> None:
        self._opened()
        self._replace({})

    def close(self) -> None:
        self._rows = self._snapshot = None

    def _opened(self) -> dict[str, StoredRow]:
        if self._rows is None:
            raise StoreError("the store is closed.")
        return self._rows

    def _replace(self, rows: dict[str, StoredRow]) -> None:
        self._rows, self._snapshot = rows, None


class MemorySnapshot(Snapshot):
    """The rows as they were. Threads may share it, and it holds nothing that has to be given back."""

    def __init__(self, rows: list[StoredRow], collection: Collection) -> None:
        self._collection = collection
        self._last: tuple[str | WeightedTexts, Vectors] | None = None
        self._chunks = [row.chunk for row in rows]
        self._matrices: dict[str, Vectors] = {
            label: np.array([row.vectors[label] for row in rows], np.float32).reshape(len(rows), spec.dimensions)
            for label, spec in collection.vectors.items()
        }
        self._coarse = {label: CoarseRows() for label in collection.vectors}

    def __enter__(self) -> MemorySnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be given back."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        return self._top(self._matrix(label) @ vector, k, self._mask(where))

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        scores = self._words(query)
        return self._top(scores, k, self._mask(where) & (scores > 0))

    def coarse(
        self, vector: Vectors, k: int, form: CoarseForm, where: Filter | None = None, *, label: str = VECTOR
    ) -> list[Scored]:
        whole = self._matrix(label)
        if not np.isfinite(vector).all():
            return []
        coarse = self._coarse[label].made(form, lambda: [whole])
        rows, scores = nearest(coarse, form.apply(vector[None])[0], k, self._mask(where))
        return [Scored(row, score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        matrix = self._matrix(label)
        return self._of_rows(lambda rows: matrix[rows] @ vector, refs, np.nan)

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        scores = self._words(query)
        return self._of_rows(lambda rows: scores[rows], refs, 0)

    def vocabulary(self) -> Mapping[str, int]:
        return self._counted

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        return [self._chunks[_row(ref)] for ref in refs]

    def count(self, where: Filter | None = None) -> int:
        return int(self._mask(where).sum())

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        wanted = set(names)
        return (chunk for chunk in self._chunks if getattr(chunk, by) in wanted)

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        wanted = set(keys)
        return {c.key: v for c, v in zip(self._chunks, self._matrix(label), strict=True) if c.key in wanted}

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        wanted = set(keys)
        return {chunk.key: at for at, chunk in enumerate(self._chunks) if chunk.key in wanted}

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        mask = self._mask(where)
        matrices = {label: self._matrix(label)[mask] for label in labels}
        if mask.any():
            yield [self._chunks[at] for at in np.flatnonzero(mask)], matrices

    def stats(self) -> Stats:
        size = sum(matrix.nbytes for matrix in self._matrices.values())
        return Stats(len(self._chunks), size + sum(len(chunk.indexed) for chunk in self._chunks), {})

    @cached_property
    def _counted(self) -> Mapping[str, int]:
        cut = self._collection.analyser
        return TermCounts(Counter(term for chunk in self._chunks for term in set(cut.terms(chunk.indexed))))

    @cached_property
    def _bm25(self) -> Any:
        import bm25s

        analyser = self._collection.analyser
        corpus = [analyser.terms(chunk.indexed) for chunk in self._chunks]
        if not any(corpus):
            return None
        index = bm25s.BM25(k1=BM25_K1, b=BM25_B)
        index.index(corpus, show_progress=False)
        return index

    @cached_property
    def _titled(self) -> TitledWords:
        cut = self._collection.analyser.terms
        return TitledWords((cut(chunk.indexed), cut(chunk.section)) for chunk in self._chunks)

    def _words(self, query: str | WeightedTexts) -> Vectors:
        """float32 (rows,): BM25 scores. Those of the last query are remembered: a fusion asks for them again."""
        last = self._last
        if last is not None and last[0] == query:
            return last[1]
        asked = self._collection.asked(query)
        scores = np.zeros(len(self._chunks), np.float32)
        if asked and title_weight(query) != 1:
            scores = self._titled.scores(asked, title_weight(query))
        elif asked and self._bm25 is not None and isinstance(query, str):
            scores = self._bm25.get_scores(list(asked))
        elif asked and self._bm25 is not None:
            scores = np.sum([weight * self._bm25.get_scores([term]) for term, weight in asked.items()], axis=0)
        self._last = query, scores
        return scores

    def _of_rows(self, scores: Callable[[Any], Vectors], refs: Sequence[Hashable], missing: float) -> Vectors:
        """The scores of these rows; `missing` for those that there are not."""
        rows = np.fromiter(map(_row, refs), np.int64, len(refs))
        there = (rows >= 0) & (rows < len(self._chunks))
        found = np.full(len(rows), missing, np.float32)
        found[there] = scores(rows[there])
        return found

    def _matrix(self, label: str) -> Vectors:
        self._collection.spec(label)
        return self._matrices[label]

    def _mask(self, where: Filter | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if where is None:
            return np.ones(len(self._chunks), bool)
        passes = predicate(where)
        return np.array([passes(chunk) for chunk in self._chunks], bool)

    def _top(self, scores: Vectors, k: int, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Scored]:
        candidates = np.flatnonzero(mask)
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        return [Scored(int(i), float(scores[i])) for i in best]


def _row(ref: Hashable) -> int:
    """Where a row stands: that is its name."""
    return int(str(ref))


def settings_in(folder: Path) -> MemorySettings:  # noqa: ARG001
    """Nothing is kept in `folder`."""
    return MemorySettings()


def open_store(settings: MemorySettings, collection: Collection, *, create: bool = False) -> MemoryStore:  # noqa: ARG001
    """A new store, empty; there never is one to open without `create`."""
    if not create:
        raise StoreError("a store in memory ends with its process: there is none to open.")
    return MemoryStore(collection)
