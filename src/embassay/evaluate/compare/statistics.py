"""Whether paired scores differ by more than chance, and how many queries it would take to tell.

Every query is scored under both candidates, so what counts is the difference on each query: a column of
differences, one per pair and metric. Bootstrap and randomisation share their random draws among all columns, which
makes both of them one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, TypedDict

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Columns = npt.NDArray[np.float64]

RESAMPLES = 10_000
CONFIDENCE = 0.95
POWER = 0.80
EXACT = 13
"""Up to so many queries that differ, every one of the 2**n sign changes is tried instead of random ones."""
BLOCK = 500
"""Resamples drawn at once: a block stays in the processor's cache."""
ROUNDING = 1e-9
"""Statistics closer than this are equal: sums of the same numbers in another order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How B differs from A on one metric over all queries: B minus A."""

    mean: float
    low: float
    high: float
    """Bounds of the bootstrap interval of the mean."""
    p: float
    """Of the randomisation test, two-sided, uncorrected."""
    deviation: float
    """Standard deviation of the differences, n - 1 in the denominator."""
    queries: int
    wins: int
    ties: int
    losses: int
    largest: float = 1.0
    """Of the differences, whatever their sign."""


def differences(columns: Columns, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Difference]:
    """What each column of per-query differences, shape (queries, columns), says. Equal seeds give equal answers."""
    columns = np.asarray(columns, np.float64)
    queries = len(columns)
    low, high = bootstrap(columns, resamples=resamples, seed=seed)
    p = randomisation(columns, resamples=resamples, seed=seed)
    deviation = columns.std(axis=0, ddof=1) if queries > 1 else np.zeros(columns.shape[1])
    wins, losses = (columns > ROUNDING).sum(axis=0), (columns < -ROUNDING).sum(axis=0)
    return [
        Difference(
            float(columns[:, at].mean()), float(low[at]), float(high[at]), float(p[at]), float(deviation[at]), queries,
            int(wins[at]), queries - int(wins[at]) - int(losses[at]), int(losses[at]),
            float(np.abs(columns[:, at]).max(initial=0.0)),
        )
        for at in range(columns.shape[1])
    ]  # fmt: skip


def bootstrap(columns: Columns, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[Columns, Columns]:
    """Percentile interval of the mean of each column: low and high, shape (columns,) each.

    Queries are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; for
    retrieval: Sakai, SIGIR 2006). Drawing is counting: a resample is how often each query was drawn, so that the
    means of all resamples are one product.
    """
    queries = len(columns)
    generator = np.random.default_rng(seed)
    centre = columns.mean(axis=0)
    data = (columns - centre).astype(np.float32)  # about 0, where float32 is exact enough
    means = np.empty((resamples, columns.shape[1]), np.float32)
    for start in range(0, resamples, BLOCK):
        rows = min(BLOCK, resamples - start)
        drawn = generator.integers(0, queries, (rows, queries), np.uint32)
        drawn += np.arange(rows, dtype=np.uint32)[:, None] * np.uint32(queries)
        counts = np.bincount(drawn.ravel(), minlength=rows * queries).reshape(rows, queries)
        means[start : start + rows] = counts.astype(np.float32) @ data / queries
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means.astype(np.float64), (tail, 1 - tail), axis=0)
    return _settled(low + centre), _settled(high + centre)


def wilson(many: int, of: int) -> tuple[float, float]:
    """Interval of a share that was seen `many` times of `of`, of which there is one at least (Wilson, JASA 1927)."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    share, square = many / of, z * z / of
    middle, reach = share + square / 2, z * math.sqrt((share * (1 - share) + square / 4) / of)
    low, high = (middle - reach) / (1 + square), (middle + reach) / (1 + square)
    return (low if many else 0.0), (high if many < of else 1.0)


def difference_of_shares(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float]:
    """Interval of the difference of two shares, B minus A, each seen of members of its own: (how many, of how many).

    It is made of the intervals of Wilson of both (Newcombe, Statistics in Medicine, 1998, method 10), and keeps what
    it promises of few members and of shares near 0 and 1 as well. Each of the two has a member at least.
    """
    seen = [many / of for many, of in (a, b)]
    (low_a, high_a), (low_b, high_b) = (wilson(many, of) for many, of in (a, b))
    difference = seen[1] - seen[0]
    below = math.hypot(seen[1] - low_b, high_a - seen[0])
    above = math.hypot(high_b - seen[1], seen[0] - low_a)
    return difference - below, difference + above


def _settled(values: Columns) -> Columns:
    """Rounding noise is zero: an interval that ends at zero does not exclude it."""
    return np.where(np.abs(values) < 1e-7, 0.0, values)


def randomisation(columns: Columns, *, resamples: int = RESAMPLES, seed: int = 0) -> Columns:
    """Two-sided p of the paired randomisation test of each column, shape (columns,).

    If A and B were equal, every difference could as well have the other sign (Smucker, Allan and Carterette, CIKM
    2007). Where few queries differ all sign changes are tried; otherwise `resamples` random ones, of which the
    observed one is counted as a member, so that p is never 0 (Davison and Hinkley, 1997, section 4.3).
    """
    differing = np.abs(columns) > ROUNDING
    p = np.ones(columns.shape[1])
    few = differing.sum(axis=0) <= EXACT
    for at in np.flatnonzero(few):
        p[at] = _exact(columns[differing[:, at], at])
    many = np.flatnonzero(~few)
    if not len(many):
        return p
    data = columns[:, many]
    # Differences of ranks take few values, so that many sums tie with the observed one: doubles tell them apart.
    observed = np.abs(data.sum(axis=0)) - ROUNDING * np.abs(data).sum(axis=0)
    at_least = np.zeros(len(many))
    generator = np.random.default_rng(seed + 1)
    for start in range(0, resamples, BLOCK):
        rows = min(BLOCK, resamples - start)
        bits = np.unpackbits(
            generator.integers(0, 256, (rows, -(-len(columns) // 8)), np.uint8), axis=1, count=len(columns)
        )
        sums = (bits.astype(np.float64) * 2 - 1) @ data
        at_least += (np.abs(sums) >= observed).sum(axis=0)
    p[many] = (1 + at_least) / (1 + resamples)
    return p


def _exact(values: Columns) -> float:
    if not len(values):
        return 1.0
    signs = 1 - 2 * ((np.arange(1 << len(values))[:, None] >> np.arange(len(values))) & 1)
    return float((np.abs(signs @ values) >= abs(values.sum()) - ROUNDING).mean())


def holm(p: Sequence[float]) -> list[float]:
    """Corrected for being the smallest of many (Holm, 1979): compare them with the same level as before."""
    order = sorted(range(len(p)), key=lambda at: p[at])
    corrected = [1.0] * len(p)
    largest = 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[at]))
        corrected[at] = largest
    return corrected


def queries_needed(difference: float, deviation: float, *, tests: int = 1, min_effect: float = 0.0) -> float:
    """Queries with which a true mean `difference` is found, and seen to be at least `min_effect`, in 4 of 5 cases.

    The normal approximation of the paired t-test, n = ((z(1 - level / 2) + z(power)) * deviation / difference)**2,
    plus z**2 / 2 for the deviation being estimated (Guenther, The American Statistician, 1981). Infinite for a
    difference that is not above `min_effect`. `tests`: how many comparisons share the level.
    """
    if difference <= min_effect:
        return math.inf
    z, beta = _normal(tests)
    significant = ((z + beta) * deviation / difference) ** 2
    enough = (beta * deviation / (difference - min_effect)) ** 2 if min_effect else 0.0
    return max(significant, enough) + z * z / 2


def detectable(queries: int, deviation: float, *, tests: int = 1, min_effect: float = 0.0) -> float:
    """The least true mean difference that `queries` find with 80 % power, and see to be at least `min_effect`.

    The inverse of `queries_needed`; infinite where there are too few queries for any.
    """
    z, beta = _normal(tests)
    spare = queries - z * z / 2
    if spare <= 0:
        return math.inf
    significant = (z + beta) * deviation / math.sqrt(spare)
    return max(significant, min_effect + beta * deviation / math.sqrt(spare))


def _normal(tests: int) -> tuple[float, float]:
    """Quantiles of the level, shared by `tests` and two-sided, and of the power."""
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (2 * tests)), NormalDist().inv_cdf(POWER)


class Spread(TypedDict):
    """Median, 95th and 99th percentile of repeated measurements, and how many there were; None of none."""

    p50: float | None
    p95: float | None
    p99: float | None
    n: int


def spread(values: Sequence[float]) -> Spread:
    """The spread of repeated measurements, rounded to three digits behind the point."""
    if not values:
        return {"p50": None, "p95": None, "p99": None, "n": 0}
    p50, p95, p99 = (float(v) for v in np.percentile(values, (50, 95, 99)))
    return {"p50": round(p50, 3), "p95": round(p95, 3), "p99": round(p99, 3), "n": len(values)}
