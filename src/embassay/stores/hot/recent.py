"""The rows of the log in memory, which are few: each search looks at all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.stores.filters.meaning import predicate
from embassay.stores.hot.log import LogEntry
from embassay.stores.values import BM25_B, BM25_K1

if TYPE_CHECKING:
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Vectors

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


class Recent:
    """Grows as the log does. What was handed out as `RecentRows` sees nothing of what comes behind it."""

    def __init__(self, widths: Mapping[str, int], cut: Callable[[str], Sequence[str]]) -> None:
        """`widths` are the dimensions of each label; `cut` tells the terms of a text."""
        self.chunks: list[Chunk] = []
        self.lengths: list[int] = []
        self.terms: list[Sequence[str]] = []
        self.postings: dict[str, list[tuple[int, int]]] = {}
        """Of each term the rows that have it, ascending, and how often it stands there."""
        self._cut = cut
        self._titles: dict[int, Counter[str]] = {}
        self._row_of: dict[str, int] = {}
        self._alive = np.ones(64, bool)
        self._vectors = {label: np.empty((64, width), np.float32) for label, width in widths.items()}

    def add(self, entry: LogEntry) -> None:
        """Take in the next entry of the log."""
        for key in (*entry.removed, *(chunk.key for chunk in entry.chunks)):
            row = self._row_of.pop(key, None)
            if row is not None:
                self._alive[row] = False
        first, after = len(self.chunks), len(self.chunks) + len(entry.chunks)
        self._make_room(after)
        for label, kept in self._vectors.items():
            if entry.chunks:
                kept[first:after] = (entry.vectors or {})[label]
        for row, (chunk, terms) in enumerate(zip(entry.chunks, entry.terms, strict=True), first):
            for term, often in Counter(terms).items():
                self.postings.setdefault(term, []).append((row, often))
            self.terms.append(terms)
            self.lengths.append(len(terms))
            self._row_of[chunk.key] = row
            self.chunks.append(chunk)

    def rows(self) -> RecentRows:
        """The rows as they are now."""
        count = len(self.chunks)
        vectors = {label: kept[:count] for label, kept in self._vectors.items()}
        return RecentRows(self, self._alive[:count].copy(), np.array(self.lengths, np.int64), vectors)

    def title(self, row: int) -> Counter[str]:
        """How often each term stands in the title of a row. It is counted when somebody asks for it."""
        found = self._titles.get(row)
        if found is None:
            found = self._titles[row] = Counter(self._cut(self.chunks[row].section))
        return found

    def _make_room(self, rows: int) -> None:
        """Arrays are replaced and not resized: views of the old ones go on to be read."""
        if rows <= len(self._alive):
            return
        room = max(rows, 2 * len(self._alive))
        alive = np.ones(room, bool)
        alive[: len(self._alive)] = self._alive
        self._alive = alive
        for label, kept in self._vectors.items():
            larger = np.empty((room, kept.shape[1]), np.float32)
            larger[: len(kept)] = kept
            self._vectors[label] = larger


class RecentRows:
    """The rows of the log at one version, asked as a part is asked."""

    def __init__(self, recent: Recent, alive: Mask, lengths: Rows, vectors: Mapping[str, Vectors]) -> None:
        self._recent, self.alive, self.lengths, self._vectors = recent, alive, lengths, vectors
        self.rows = len(alive)

    def search(self, label: str, vector: Vectors, k: int, mask: Mask) -> tuple[Rows, Vectors]:
        """The k rows of `mask` of greatest product, best first, and their scores."""
        rows = np.flatnonzero(mask)
        scores = self._vectors[label][rows] @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def scores(self, label: str, vector: Vectors, rows: Rows) -> Vectors:
        """The products with these rows."""
        found: Vectors = self._vectors[label][rows] @ vector
        return found

    def read(self, label: str, rows: Rows) -> Vectors:
        """The vectors (rows, dimensions) of a label."""
        return self._vectors[label][rows]

    def frequencies(self, terms: Sequence[str]) -> Rows:
        """How many rows that are alive have each of the terms."""
        return np.array([sum(1 for _ in self._holding(term)) for term in terms], np.int64)

    @cached_property
    def title_lengths(self) -> Rows:
        """How many terms the title of each row has."""
        return np.array([self._recent.title(row).total() for row in range(self.rows)], np.int64)

    def lexical(self, weights: Mapping[str, float], average_length: float, title: float = 1.0) -> Vectors:
        """The BM25 score of every row, 0 for those that share no term: float32 (rows,). Words of titles count `title`
        times."""
        scores = np.zeros(self.rows, np.float32)
        extra = title - 1
        lengths = np.maximum(self.lengths + extra * self.title_lengths, 0) if extra else self.lengths
        for term, weight in weights.items():
            for row, often in self._holding(term):
                norm = BM25_K1 * (1 - BM25_B + BM25_B * float(lengths[row]) / average_length)
                counted = max(often + extra * self._recent.title(row)[term], 0) if extra else often
                scores[row] += weight * counted / (counted + norm)
        return scores

    def mask(self, where: Filter) -> Mask:
        """Which rows pass a filter."""
        passes = predicate(where)
        return np.fromiter(map(passes, self._recent.chunks[: self.rows]), bool, self.rows)

    def fetch(self, rows: Iterable[int]) -> list[Chunk]:
        """The chunks of these rows."""
        return [self._recent.chunks[row] for row in rows]

    def terms(self, rows: Iterable[int]) -> list[Sequence[str]]:
        """The terms of these rows."""
        return [self._recent.terms[row] for row in rows]

    def has_any(self, keys: Iterable[str]) -> bool:
        """Whether a row that is alive has one of the keys."""
        wanted = frozenset(keys)
        return any(self._recent.chunks[row].key in wanted for row in np.flatnonzero(self.alive))

    def matching(self, holds: Callable[[Chunk], bool]) -> Rows:
        """The rows that are alive of which that is true."""
        return np.array([row for row in np.flatnonzero(self.alive) if holds(self._recent.chunks[row])], np.int64)

    def vocabulary(self) -> Iterable[str]:
        """Every term that some row has."""
        return [term for term, holding in list(self._recent.postings.items()) if holding[0][0] < self.rows]

    def _holding(self, term: str) -> Iterable[tuple[int, int]]:
        holding = self._recent.postings.get(term, ())
        return ((row, often) for row, often in holding if row < self.rows and self.alive[row])
