"""Queries against those of a baseline: what is unlike all of them, and whether the mix is another.

Rows are vectors of one space, of any length: their directions are compared. Products are those of one thread: what is
read every minute beside searches must not wake the threads of BLAS, which took six times the processor's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.monitor import change
from embassay.stores.hot.kernel import products_of_each

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

NEIGHBOURS = 3
"""Nearest queries of the baseline whose mean distance is that of a query: one alone may be there by accident."""
BEYOND = 0.95
"""The share of the baseline's own queries that are nearer than what counts as new."""


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """How far queries are from those of a baseline, as one minus the cosine."""

    usual: npt.NDArray[np.float32]
    """Of the baseline's own, each from the others."""
    now: npt.NDArray[np.float32]

    @property
    def new(self) -> npt.NDArray[np.bool_]:
        """Which queries are further than 95 of 100 of the baseline's own are from each other."""
        return np.asarray(self.now > np.quantile(self.usual, BEYOND))

    @property
    def chance(self) -> float:
        """That as many of the furthest are new where both are drawn from one source."""
        return change.tail_chance(self.usual, self.now)


def novelty(baseline: Vectors, now: Vectors) -> Novelty:
    """The distances of both to their nearest queries of the baseline, a query never being its own."""
    baseline, now = directions(baseline), directions(now)
    among = products_of_each(baseline, baseline)
    np.fill_diagonal(among, -np.inf)
    return Novelty(_distance(among, len(baseline) - 1), _distance(products_of_each(baseline, now), len(baseline) - 1))


def distances(rows: Vectors, documents: Vectors) -> npt.NDArray[np.float32]:
    """The distance of each row to the documents that are nearest, as one minus the cosine."""
    return _distance(products_of_each(directions(documents), directions(rows)), len(documents))


def _distance(cosines: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.float32]:
    nearest = min(NEIGHBOURS, most)
    best = np.partition(cosines, -nearest, axis=1)[:, -nearest:]
    return np.asarray(1 - best.mean(1))


def mmd_chance(baseline: Vectors, now: Vectors, seed: int = 0) -> tuple[float, float]:
    """The squared maximum mean discrepancy of both, and its chance by permutation (Gretton et al. 2012).

    The kernel is a Gaussian as wide as the median of the squared distances.
    """
    kernel = _kernel(directions(np.concatenate((baseline, now))))
    first, second = len(baseline), len(now)
    random = np.random.default_rng(seed)

    def drawn() -> npt.NDArray[np.float32]:
        order = random.random((change.DRAWS, len(kernel)), np.float32)
        chosen = np.argpartition(order, second - 1, axis=1)[:, :second]
        weights = np.full((change.DRAWS, len(kernel)), -1 / first, np.float32)
        np.put_along_axis(weights, chosen, np.float32(1 / second), 1)
        return _discrepancy(kernel, weights)

    seen = float(_discrepancy(kernel, _weights(first, second))[0])
    return seen, change.chance_by_drawing(seen, drawn)


def mmd(some: Vectors, others: Vectors) -> float:
    """The squared maximum mean discrepancy alone."""
    kernel = _kernel(directions(np.concatenate((some, others))))
    return float(_discrepancy(kernel, _weights(len(some), len(others)))[0])


def _weights(first: int, second: int) -> npt.NDArray[np.float32]:
    return np.concatenate((np.full(first, -1 / first), np.full(second, 1 / second))).astype(np.float32)[None]


def _discrepancy(kernel: npt.NDArray[np.float32], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray((products_of_each(kernel, weights) * weights).sum(1))


def _kernel(rows: Vectors) -> npt.NDArray[np.float32]:
    """Centred, so that sums of many numbers of single precision stay small."""
    squared = np.maximum(0, 2 - 2 * products_of_each(rows, rows))
    width = float(np.median(squared[np.triu_indices(len(rows), 1)])) or 1.0
    kernel = np.exp(-squared / width)
    mean = kernel.mean(0)
    return np.asarray(kernel - mean - mean[:, None] + mean.mean(), np.float32)


def centroid_distance(baseline: Vectors, now: Vectors) -> float:
    """One minus the cosine of both means."""
    one, other = (directions(directions(rows).mean(0, keepdims=True))[0] for rows in (baseline, now))
    return float(1 - one @ other)


def typical(rows: Vectors, most: int) -> list[int]:
    """So many rows that stand for all: the one nearest to the mean, then each time the one furthest from those."""
    rows = directions(rows)
    chosen = [int(np.argmax(rows @ rows.mean(0)))] if len(rows) else []
    while len(chosen) < min(most, len(rows)):
        nearest = products_of_each(rows[chosen], rows).max(1)
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
    return chosen


def directions(rows: Vectors) -> Vectors:
    """Rows of length one; one without a length stays as it is."""
    rows = np.asarray(rows, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))
