"""The exact store, in memory: slow and obvious, what the others are compared with."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.stores.base import Scored, Stats
from embassay.stores.filters import Filter, matches
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors

STOP_WORDS = "en"
STEMMER = "english"


class MemoryStore:
    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._rows: dict[str, tuple[Chunk, Vectors]] = {}
        self._snapshot: MemorySnapshot | None = None

    def upsert(self, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        self._rows = self._rows | {c.key: (c, v) for c, v in zip(chunks, vectors, strict=True)}
        self._snapshot = None

    def delete(self, keys: Iterable[str]) -> None:
        gone = set(keys)
        self._rows = {key: row for key, row in self._rows.items() if key not in gone}
        self._snapshot = None

    def snapshot(self) -> MemorySnapshot:
        if self._snapshot is None:
            self._snapshot = MemorySnapshot(list(self._rows.values()), self.dimensions)
        return self._snapshot

    def optimise(self, *, thorough: bool = False) -> None:
        """Nothing to do: every search is exact."""

    def drop(self) -> None:
        self._rows, self._snapshot = {}, None


class MemorySnapshot:
    def __init__(self, rows: list[tuple[Chunk, Vectors]], dimensions: int) -> None:
        self._chunks = [chunk for chunk, _ in rows]
        self._matrix = np.array([vector for _, vector in rows], np.float32).reshape(len(rows), dimensions)

    def __enter__(self) -> MemorySnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held that has to be given back."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None) -> list[Scored]:
        return self._top(self._matrix @ vector, k, self._mask(where))

    def lexical(self, query: str, k: int, where: Filter | None = None) -> list[Scored]:
        words = tokenise([query])[0]
        if not words or self._bm25 is None:
            return []
        scores = self._bm25.get_scores(words)
        return self._top(scores, k, self._mask(where) & (scores > 0))

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        return [self._chunks[int(str(ref))] for ref in refs]

    def count(self, where: Filter | None = None) -> int:
        return int(self._mask(where).sum())

    def chunks(self, paths: Iterable[str]) -> Iterator[Chunk]:
        wanted = set(paths)
        return (chunk for chunk in self._chunks if chunk.path in wanted)

    def vectors(self, keys: Sequence[str]) -> dict[str, Vectors]:
        wanted = set(keys)
        return {c.key: v for c, v in zip(self._chunks, self._matrix, strict=True) if c.key in wanted}

    def scan(self) -> Iterator[tuple[list[Chunk], Vectors]]:
        if self._chunks:
            yield self._chunks, self._matrix

    def stats(self) -> Stats:
        size = self._matrix.nbytes + sum(len(chunk.indexed) for chunk in self._chunks)
        return Stats(len(self._chunks), size, {})

    @cached_property
    def _bm25(self) -> Any:
        import bm25s

        corpus = tokenise([chunk.indexed for chunk in self._chunks])
        if not any(corpus):
            return None
        index = bm25s.BM25(k1=1.5, b=0.75)
        index.index(corpus, show_progress=False)
        return index

    def _mask(self, where: Filter | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if where is None:
            return np.ones(len(self._chunks), bool)
        return np.array([matches(where, chunk) for chunk in self._chunks], bool)

    def _top(self, scores: Vectors, k: int, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Scored]:
        candidates = np.flatnonzero(mask)
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        return [Scored(int(i), float(scores[i])) for i in best]


def tokenise(texts: list[str]) -> list[list[str]]:
    """Lower-cased words, English stop words out, Snowball stems."""
    import bm25s
    import Stemmer

    tokens = bm25s.tokenize(
        texts, stopwords=STOP_WORDS, stemmer=Stemmer.Stemmer(STEMMER), return_ids=False, show_progress=False
    )
    return [list(words) for words in tokens]


def open_store(place: Path, name: str, dimensions: int, *, create: bool = False) -> MemoryStore:  # noqa: ARG001
    return MemoryStore(dimensions)
