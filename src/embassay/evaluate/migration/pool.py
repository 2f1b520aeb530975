"""The chunks of a set that are embedded to probe another model: all of a small set, else a pool that stands for it.

The pool holds whatever the present set finds for the judged queries and whatever is judged, each standing for itself,
and a sample of the others, drawn at random, each of which stands for as many as were left out. A sampled chunk that
ranks above a relevant one pushes it down by that many places, so that the place of every relevant chunk, and with it
recall, is estimated without bias; a metric that bends with the place is so to a first approximation. (Sampled ranks
that are taken as they are favour whoever is measured: Krichene and Rendle, KDD 2020.)
"""

from __future__ import annotations

import random
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.stores.base import Snapshot
from embassay.stores.filters.values import In
from embassay.stores.values import VECTOR, Scored, Stats, WeightedTexts

if TYPE_CHECKING:
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Vectors


@dataclass(frozen=True, slots=True)
class ProbePool:
    """Chunks of a set, and how many of its chunks each stands for."""

    chunks: Sequence[Chunk]
    weights: Sequence[float]
    rows: int
    """Chunks that the set has."""

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole set, so that nothing is estimated."""
        return len(self.chunks) == self.rows


def draw(version: Snapshot, certain: Collection[str], paths: Collection[str], *, whole: int, sample: int) -> ProbePool:
    """The pool of a set of more than `whole` chunks, else all of them. Equal calls draw equal pools.

    `certain`: keys of chunks that are in it; so are all those of `paths`. Of the others `sample` are drawn (Vitter's
    algorithm R, ACM TOMS 1985). Raises StoreError.
    """
    rows = version.count()
    generator = random.Random(0)
    kept: list[Chunk] = []
    drawn: list[Chunk] = []
    others = 0
    for blocks, _ in version.scan(()):
        for chunk in blocks:
            if rows <= whole or chunk.key in certain or chunk.path in paths:
                kept.append(chunk)
                continue
            others += 1
            if len(drawn) < sample:
                drawn.append(chunk)
            elif (at := generator.randrange(others)) < sample:
                drawn[at] = chunk
    weight = others / len(drawn) if drawn else 1.0
    return ProbePool([*kept, *drawn], [1.0] * len(kept) + [weight] * len(drawn), rows)


@dataclass(frozen=True)
class EmbeddedPool:
    """A pool with its vectors in another space: float32 (chunks, dimensions), comparable."""

    pool: ProbePool
    vectors: Vectors

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Where each chunk is, by its key."""
        return {chunk.key: at for at, chunk in enumerate(self.pool.chunks)}

    def expanded(self, ranked: Mapping[str, str]) -> list[str]:
        """Ids in their order, with as many strangers behind each sampled one as it stands for besides itself.

        `ranked`: id to the key of its chunk.
        """
        ids: list[str] = []
        owed = 0.0
        for name, key in ranked.items():
            ids.append(name)
            at = self.at.get(key)
            owed += 0.0 if at is None else self.pool.weights[at] - 1
            strangers = int(owed)
            ids += [f"{name} and {number} like it" for number in range(1, strangers + 1)]
            owed -= strangers
        return ids


class PooledSnapshot(Snapshot):
    """One version of a set, as if the pool had been all of it that is compared by vectors, and those in another space.

    Words are searched in the whole set. A row is named by its key.
    """

    def __init__(self, version: Snapshot, embedded: EmbeddedPool) -> None:
        """Who made `version` gives it back."""
        self._version, self._embedded = version, embedded
        self._chunks = {chunk.key: chunk for chunk in embedded.pool.chunks}

    def __enter__(self) -> PooledSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        """The version is given back by who made it."""

    def dense(self, vector: Vectors, k: int, where: Filter | None = None, *, label: str = VECTOR) -> list[Scored]:
        import numpy as np

        assert where is None and label == VECTOR, "judged queries have no filter"
        scores = self._embedded.vectors @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return [Scored(self._embedded.pool.chunks[at].key, float(scores[at])) for at in best]

    def lexical(self, query: str | WeightedTexts, k: int, where: Filter | None = None) -> list[Scored]:
        found = self._version.lexical(query, k, where)
        chunks = self._version.fetch([one.ref for one in found])
        self._chunks.update((chunk.key, chunk) for chunk in chunks)
        return [Scored(chunk.key, one.score) for chunk, one in zip(chunks, found, strict=True)]

    def dense_scores(self, vector: Vectors, refs: Sequence[Hashable], *, label: str = VECTOR) -> Vectors:
        import numpy as np

        assert label == VECTOR, "a pool has one vector a chunk"
        at = [self._embedded.at.get(str(ref)) for ref in refs]
        rows = [row for row in at if row is not None]
        found = iter(self._embedded.vectors[rows] @ vector)
        return np.array([np.nan if row is None else next(found) for row in at], np.float32)

    def lexical_scores(self, query: str | WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        import numpy as np

        keys = list(map(str, refs))
        documents = tuple({self._chunks[key].document for key in keys})  # filters know no keys
        found = self._version.lexical(query, self._embedded.pool.rows, In("document", documents)) if keys else []
        scored = zip(self._version.fetch([one.ref for one in found]), found, strict=True)
        scores = {chunk.key: one.score for chunk, one in scored}
        return np.array([scores.get(key, 0) for key in keys], np.float32)

    def vocabulary(self) -> Mapping[str, int]:
        return self._version.vocabulary()

    def fetch(self, refs: Sequence[Hashable]) -> list[Chunk]:
        return [self._chunks[str(ref)] for ref in refs]

    def count(self, where: Filter | None = None) -> int:
        return self._version.count(where)

    def chunks(self, names: Iterable[str], *, by: str = "path") -> Iterator[Chunk]:
        return self._version.chunks(names, by=by)

    def vectors(self, keys: Sequence[str], *, label: str = VECTOR) -> dict[str, Vectors]:
        assert label == VECTOR, "a pool has one vector a chunk"
        return {key: self._embedded.vectors[self._embedded.at[key]] for key in keys if key in self._embedded.at}

    def refs(self, keys: Sequence[str]) -> dict[str, Hashable]:
        return {key: key for key in keys if key in self._chunks}

    def scan(
        self, labels: Sequence[str] = (VECTOR,), where: Filter | None = None
    ) -> Iterator[tuple[list[Chunk], dict[str, Vectors]]]:
        return self._version.scan(labels, where)

    def stats(self) -> Stats:
        return self._version.stats()
