"""Searches a set with every scheme at once: its rows are read twice, in blocks, and never held all together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.compress.nearest import NearestRows, recall
from embassay.compress.schemes import Scheme, StoredAs, schemes
from embassay.errors import UsageError
from embassay.evaluate.compare.set_system import ranked_places
from embassay.evaluate.data.places import Place
from embassay.evaluate.score.metrics import deepest, per_query
from embassay.stores.values import VECTOR
from embassay.types import Hit

if TYPE_CHECKING:
    from embassay.compress.base import Coding
    from embassay.compress.nearest import Ints
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Vectors

SAMPLE = 131_072
"""Rows at most that schemes are fitted to and timed on, taken from all over the set."""
CANDIDATES = 100
"""Rows that a scheme finds for exact vectors to order again."""
RECALLED = 10
"""Nearest rows, of which the share that is found is told."""
TIMED = 9
"""Queries that a scan is timed with; the median counts."""
HITS = 3
"""Times as many rows as documents are looked at: several may be of one document."""
ROOM = 100_000
"""Chunks that are held at most beside those that are among the nearest."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchedScheme:
    """What one scheme found."""

    scheme: Scheme
    recall: float
    """Share of the `RECALLED` nearest rows that are the nearest by it too."""
    recall_rescored: float
    """The same, of its `CANDIDATES` ordered by exact vectors."""
    scores: Mapping[str, Mapping[str, float]]
    """Query id to metric to value."""
    rescored: Mapping[str, Mapping[str, float]]
    scan_ms: float
    """Milliseconds to hold one query against all rows, in one thread; for many rows by a part of them."""


def search_all(
    version: Snapshot,
    stored: StoredAs,
    judged: JudgedSet,
    queries: Vectors,
    metrics: tuple[str, ...],
    advance: Callable[[int], None] = lambda _: None,
) -> list[SearchedScheme]:
    """What each scheme finds for `queries`, the vectors of those of `judged`; first what is stored as it is.

    `advance` is told of rows that were read; there are twice as many as the set has. Raises UsageError for a set
    without vectors, StoreError.
    """
    sample, rows = _sample(version, advance)
    work = [_Work(scheme, scheme.fit(sample), queries) for scheme in schemes(stored, sample)]
    chunks: dict[int, Chunk] = {}
    first = 0
    for block, vectors in _blocks(version):
        exact = vectors @ queries.T
        for one in work:
            one.search(vectors, exact, first)
        _remember(chunks, block, first, work)
        first += len(block)
        advance(len(block))
    nearest = work[0].nearest.ranked(rescored=True)[1]
    asked = queries[:TIMED]
    return [
        one.searched(judged, chunks, metrics, nearest, one.timed(sample, asked) * rows / len(sample)) for one in work
    ]


class _Work:
    """A scheme at work."""

    def __init__(self, scheme: Scheme, coding: Coding, queries: Vectors) -> None:
        self.scheme, self.coding = scheme, coding
        self.nearest = NearestRows(len(queries), CANDIDATES)
        self._queries = scheme.reduction.apply(queries)

    def search(self, vectors: Vectors, exact: Vectors, first: int) -> None:
        packed = self.coding.pack(self.scheme.reduction.apply(vectors))
        self.nearest.add(self.coding.products(packed, self._queries), exact, first)

    def timed(self, sample: Vectors, queries: Vectors) -> float:
        """Milliseconds to hold a query against all of `sample`."""
        packed = self.coding.pack(self.scheme.reduction.apply(sample))
        taken = []
        for query in self.scheme.reduction.apply(queries):
            started = time.perf_counter()
            self.coding.scan(packed, query)
            taken.append((time.perf_counter() - started) * 1e3)
        return float(np.median(taken))

    def searched(
        self, judged: JudgedSet, chunks: Mapping[int, Chunk], metrics: tuple[str, ...], nearest: Vectors, ms: float
    ) -> SearchedScheme:
        (rows, exact), (ordered, exact_ordered) = (self.nearest.ranked(rescored=again) for again in (False, True))
        return SearchedScheme(
            self.scheme,
            float(recall(exact, nearest, RECALLED).mean()),
            float(recall(exact_ordered, nearest, RECALLED).mean()),
            _scored(judged, rows, chunks, metrics),
            _scored(judged, ordered, chunks, metrics),
            ms,
        )


def _sample(version: Snapshot, advance: Callable[[int], None]) -> tuple[Vectors, int]:
    """Vectors from all over a set, and how many rows it has."""
    rows = version.count()
    step = 1 + rows // SAMPLE
    kept, seen = [], 0
    for block, vectors in _blocks(version):
        kept.append(vectors[-seen % step :: step])
        seen += len(block)
        advance(len(block))
    sample = np.concatenate(kept) if kept else np.zeros((0, 1), np.float32)
    if not np.any(sample):
        raise UsageError("the set has no vectors to compress: it is empty.", remedy="Index something into it first.")
    return sample, seen


def _blocks(version: Snapshot) -> Iterator[tuple[list[Chunk], Vectors]]:
    for block, by_label in version.scan():
        yield block, by_label[VECTOR]


def _remember(chunks: dict[int, Chunk], block: Sequence[Chunk], first: int, work: Sequence[_Work]) -> None:
    """Keep the chunks that are among the nearest now, and forget others when they are many."""
    among = np.unique(np.concatenate([one.nearest.rows.ravel() for one in work]))
    for row in among[among >= first].tolist():
        chunks[row] = block[row - first]
    if len(chunks) > len(among) + ROOM:
        wanted = set(among.tolist())
        for row in [row for row in chunks if row not in wanted]:
            del chunks[row]


def _scored(
    judged: JudgedSet, found: Ints, chunks: Mapping[int, Chunk], metrics: tuple[str, ...]
) -> Mapping[str, Mapping[str, float]]:
    """The metrics of what was found for each query, `found` (queries, rows), best first."""
    depth = deepest(metrics)
    run: dict[str, dict[str, float]] = {}
    for query, rows in zip(judged.queries, found, strict=True):
        places = [Place.parse(document) for document in judged.qrels.get(query, {})]
        hits = [Hit(at, 0.0, chunks[row], {}) for at, row in enumerate(rows[: HITS * depth].tolist(), 1)]
        ranked = list(ranked_places(hits, places))[:depth]
        run[query] = {name: -float(at) for at, name in enumerate(ranked)}
    return per_query(judged.qrels, run, metrics)
