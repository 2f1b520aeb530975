"""Switch, keep or undecided: what paired statistics, a minimum effect and budgets say of B instead of A."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from embassay.errors import UsageError
from embassay.evaluate.compare.statistics import CONFIDENCE, Difference, queries_needed

Verdict = Literal["switch", "keep", "undecided"]
MIN_EFFECT = 0.01
"""Of the first metric, nDCG@10 unless another is chosen: less is not worth re-embedding everything."""
MIN_QUERIES = 20
"""With fewer there is no verdict: a bootstrap interval of so few does not keep its promise."""
UNSEEN = 3.0
"""What did not happen in n queries happens in at most 3 of n, with 95 % confidence (the rule of three)."""
LEAST_UNSEEN = 0.5
"""What an unseen difference is taken to be at least, on a metric from 0 to 1."""
MOST_QUERIES = 100_000
"""More than these would not be judged by anybody: the number is not told."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most that a candidate may take of each cost; None: as much as it likes."""

    p95_ms: float | None = None
    """Latency of one query, 95th percentile."""
    bytes_per_million: float | None = None
    """Vectors of a million chunks."""
    usd_per_million_tokens: float | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a budget that is no number, or negative."""
        for name, what in WORDS.items():
            most = getattr(self, name)
            if most is not None and not (math.isfinite(most) and most >= 0):
                raise UsageError(f"a budget of {most} for {what.words}: write a number that is not negative.")

    def exceeded(self, costs: Mapping[str, float | None]) -> list[str]:
        """Which budgets `costs` breaks, in words. What is not known breaks the budget that was set on it."""
        broken = []
        for name, what in WORDS.items():
            most, value = getattr(self, name), costs.get(name)
            if most is not None and value is None:
                broken.append(f"{what.words} is not known, the budget is {what.shown(most)}")
            elif most is not None and value is not None and value > most:
                broken.append(f"{what.words} is {what.shown(value)}, the budget {what.shown(most)}")
        return broken


@dataclass(frozen=True, slots=True)
class _Unit:
    words: str
    symbol: str
    size: float = 1.0

    def shown(self, value: float) -> str:
        return f"{value / self.size:,.6g} {self.symbol}"


WORDS = {
    "p95_ms": _Unit("the p95 latency of a query", "ms"),
    "bytes_per_million": _Unit("the size of a million vectors", "MB", 1e6),
    "usd_per_million_tokens": _Unit("the price of a million tokens", "USD"),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on B instead of A, and why."""

    verdict: Verdict
    reason: str
    queries_needed: int | None
    """In all, for an undecided pair, if the difference stays as it was seen. None: decided, or nobody can say."""


def decide(
    seen: Difference,
    p: float,
    *,
    min_effect: float = MIN_EFFECT,
    sure: bool = False,
    exceeded: list[str] | None = None,
    tests: int = 1,
    bias: tuple[float, float] = (0.0, 0.0),
) -> Decision:
    """Decide on B instead of A. `p` is corrected for `tests` comparisons; `exceeded` are the budgets that B breaks.

    Switch: the interval lies above zero, p is at most 0.05, and the mean gain is at least `min_effect`; with `sure` it
    is the lower bound of the gain that has to be. Keep: B breaks a budget, is worse, or the interval lies below
    `min_effect` on enough queries to have seen a gain that comes on few of them. Otherwise undecided; so is a
    difference that is not sure beyond `bias`: the least and the most by which the queries themselves favour B.
    """
    if exceeded:
        return Decision("keep", f"over budget: {'; '.join(exceeded)}", None)
    made = _by_statistics(seen, p, min_effect, tests, sure=sure)
    least, most = bias
    sure_of = {"switch": seen.low > most, "keep": seen.high < least or bias == (0.0, 0.0), "undecided": True}
    if sure_of[made.verdict]:
        return made
    reason = (
        f"a difference of {seen.mean:+.3f} on made-up queries, which between searches with and without words may be "
        f"off by {least:+.2f} to {most:+.2f}"
    )
    return Decision("undecided", reason, None)


def _by_statistics(seen: Difference, p: float, min_effect: float, tests: int, *, sure: bool) -> Decision:
    if seen.queries < MIN_QUERIES:
        reason = f"{seen.queries} judged queries are too few for any verdict; {MIN_QUERIES} are the least"
        return Decision("undecided", reason, max(MIN_QUERIES, _needed(seen, min_effect, tests, sure=sure) or 0))
    gain = seen.low if sure else seen.mean
    if seen.low > 0 and p <= 1 - CONFIDENCE and gain >= min_effect:
        return Decision("switch", f"a mean gain of {seen.mean:.3f}, above {seen.low:.3f} with 95 % confidence", None)
    if seen.high < 0 and p <= 1 - CONFIDENCE:
        return Decision("keep", "it is worse", None)
    needed = _needed(seen, min_effect, tests, sure=sure)
    if seen.high < min_effect or seen.high <= 0:
        if UNSEEN * _unseen(seen) / seen.queries <= max(min_effect, MIN_EFFECT):
            return Decision("keep", f"a gain of {min_effect:g} is ruled out", None)
        reason = (
            f"alike on {seen.ties} of {seen.queries} queries, which are too few to rule a gain of {min_effect:g} out"
        )
        return Decision("undecided", reason, needed)
    if seen.low > 0 and gain < min_effect:
        reason = f"better, but whether by {min_effect:g} is open"
    elif seen.low > 0:
        reason = f"not significant after correction for {tests} comparisons (p = {p:.3f})"
    else:
        reason = "the difference may be chance"
    return Decision("undecided", reason, needed)


def _needed(seen: Difference, min_effect: float, tests: int, *, sure: bool) -> int | None:
    """Queries that would decide, if mean and deviation stay: to see the gain, or to see that it is not worth having."""
    if seen.mean >= min_effect and sure:
        needed = queries_needed(seen.mean - min_effect, seen.deviation, tests=tests)
    elif seen.mean >= min_effect:
        needed = queries_needed(seen.mean, seen.deviation, tests=tests, min_effect=min_effect)
    else:
        needed = queries_needed(min_effect - seen.mean, seen.deviation)
        needed = max(needed, UNSEEN * _unseen(seen) / max(min_effect, MIN_EFFECT))
    return None if needed > MOST_QUERIES else max(math.ceil(needed), seen.queries + 1)


def _unseen(seen: Difference) -> float:
    """How large a difference may be that no query showed: at least like the largest one, 1 where none differs."""
    return max(seen.largest, LEAST_UNSEEN) if seen.wins or seen.losses else 1.0
