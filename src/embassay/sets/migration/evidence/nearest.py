"""Exact search: the rows nearest to some vectors, in one pass over all of a generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.stores.values import VECTOR

if TYPE_CHECKING:
    from embassay.stores.base import Snapshot
    from embassay.types import Vectors

DEPTH = 10
"""Hits of a query that are looked at."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """What exact search finds for one query, best first."""

    keys: list[str]
    documents: list[str]
    scores: list[float]


def nearest(snapshot: Snapshot, queries: Vectors) -> list[Nearest]:
    """The `DEPTH` rows of greatest dot product for each query (n, dimensions)."""
    import numpy as np

    best = [Nearest([], [], []) for _ in queries]
    for chunks, by_label in snapshot.scan():
        scores = np.nan_to_num(queries @ by_label[VECTOR].T, nan=-np.inf)
        depth = min(DEPTH, len(chunks))
        top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        for at, columns in enumerate(top):
            rows = zip(
                [*best[at].scores, *map(float, scores[at, columns])],
                [*best[at].keys, *(chunks[column].key for column in columns)],
                [*best[at].documents, *(chunks[column].document for column in columns)],
                strict=True,
            )
            first = sorted(rows, key=lambda row: (-row[0], row[1]))[:DEPTH]
            best[at] = Nearest([row[1] for row in first], [row[2] for row in first], [row[0] for row in first])
    return best
