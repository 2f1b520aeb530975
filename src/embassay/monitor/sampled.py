"""Some chunks of a set with their vectors, as many as fit into a bounded memory, each with the same chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.values import VECTOR

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.search.answered import Calibration
    from embassay.space import Space
    from embassay.stores.base import Snapshot
    from embassay.types import Chunk, Vectors

SEED = 7
"""The same set gives the same sample."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledSet:
    """What was read of a set, of one version of it."""

    space: Space
    paths: Sequence[str]
    """Of each chunk of the sample, in the order of the set."""
    documents: Sequence[str]
    """The id of the document of each."""
    vectors: Vectors
    """(chunks of the sample, dimensions)."""
    chunks: int
    """All that the set has."""
    calibration: Calibration | None
    """The score below which nothing there answers; None where that is not known."""


def sample_set(of_set: EmbeddingSet, most: int) -> SampledSet:
    """At most `most` chunks of a set, in its live space; all are read once, and no more than these are kept.

    Raises SetNotFound, StoreError.
    """
    with of_set.searcher() as index, ExitStack() as held:
        parts = index.snapshots(held)
        version = parts[index.name]
        known = index.calibrations(parts).get(index.name)
        kept, chunks = _drawn(version, most)
    return SampledSet(
        index.space,
        [chunk.path for chunk, _ in kept],
        [chunk.document for chunk, _ in kept],
        np.array([vector for _, vector in kept], np.float32).reshape(len(kept), index.space.dimensions),
        chunks,
        known,
    )


def _drawn(version: Snapshot, most: int) -> tuple[list[tuple[Chunk, Vectors]], int]:
    """A reservoir: once it is full, the n-th chunk takes the place of a random one with the chance `most` / n."""
    draw = np.random.default_rng(SEED)
    kept: dict[int, tuple[int, Chunk, Vectors]] = {}
    seen = 0
    for chunks, by_label in version.scan():
        vectors = by_label[VECTOR]
        for row, slot in _slots(seen, len(chunks), most, draw):
            kept[slot] = (seen + row, chunks[row], vectors[row].copy())
        seen += len(chunks)
    return [(chunk, vector) for _, chunk, vector in sorted(kept.values(), key=lambda one: one[0])], seen


def _slots(seen: int, count: int, most: int, draw: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Which rows of a block are kept, and where."""
    filling = max(0, min(count, most - seen))
    yield from ((row, seen + row) for row in range(filling))
    if filling < count:
        drawn = draw.integers(0, np.arange(seen + filling + 1, seen + count + 1))
        for row in np.flatnonzero(drawn < most).tolist():
            yield filling + row, int(drawn[row])
