"""Switch, keep or undecided: what paired statistics, a minimum effect and budgets say of B instead of A."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mensura.evaluate.statistics import CONFIDENCE, Difference, queries_needed

Verdict = Literal["switch", "keep", "undecided"]
MIN_EFFECT = 0.01
"""Of the first metric, nDCG@10 unless another is chosen: less is not worth re-embedding everything."""
MIN_QUERIES = 20
"""With fewer there is no verdict: a bootstrap interval of so few does not keep its promise."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Most that a candidate may take; None: as much as it likes."""

    p95_ms: float | None = None
    """Latency of one query, 95th percentile."""
    bytes_per_million: float | None = None
    """Vectors of a million chunks."""
    usd_per_million_tokens: float | None = None

    def exceeded(self, costs: Mapping[str, float | None]) -> list[str]:
        """Which budgets `costs` breaks, in words. What is not known breaks the budget that was set on it."""
        broken = []
        for name, what in WORDS.items():
            most, value = getattr(self, name), costs.get(name)
            if most is not None and value is None:
                broken.append(f"its {what} is not known, the budget is {most:,g}")
            elif most is not None and value is not None and value > most:
                broken.append(f"its {what} is {value:,.4g}, the budget {most:,g}")
        return broken


WORDS = {
    "p95_ms": "p95 latency (ms)",
    "bytes_per_million": "storage of a million chunks (bytes)",
    "usd_per_million_tokens": "price of a million tokens (USD)",
}


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    reason: str
    queries_needed: int | None
    """In all, for an undecided pair, if the difference stays as it was seen. None: decided, or nobody can say."""


def decide(
    seen: Difference,
    p: float,
    *,
    min_effect: float = MIN_EFFECT,
    exceeded: list[str] | None = None,
    tests: int = 1,
) -> Decision:
    """Of B instead of A. `p` is corrected for `tests` comparisons; `exceeded` are the budgets that B breaks.

    Switch: the interval lies above zero, p is at most 0.05, and the mean gain is at least `min_effect`. Keep: B
    breaks a budget, or the interval lies below `min_effect`, so that no gain worth having is left. Otherwise undecided.
    """
    if exceeded:
        return Decision("keep", f"over budget: {'; '.join(exceeded)}", None)
    if seen.queries < MIN_QUERIES:
        reason = f"{seen.queries} judged queries are too few for any verdict; {MIN_QUERIES} are the least"
        return Decision("undecided", reason, max(MIN_QUERIES, _needed(seen, min_effect, tests) or 0))
    if seen.low > 0 and p <= 1 - CONFIDENCE and seen.mean >= min_effect:
        return Decision("switch", f"the gain is real and at least {min_effect:g}", None)
    if seen.high < min_effect:
        worse = "it is worse" if seen.high < 0 else f"a gain of {min_effect:g} is ruled out"
        return Decision("keep", worse, None)
    needed = _needed(seen, min_effect, tests)
    if seen.low > 0 and seen.mean < min_effect:
        reason = f"better, but whether by {min_effect:g} is open"
    elif seen.low > 0:
        reason = f"not significant after correction for {tests} comparisons (p = {p:.3f})"
    else:
        reason = "the difference may be chance"
    return Decision("undecided", reason, needed)


def _needed(seen: Difference, min_effect: float, tests: int) -> int | None:
    """Queries that would decide, if mean and deviation stay: to see the gain, or to see that it is not worth having."""
    if seen.mean >= min_effect:
        needed = queries_needed(seen.mean, seen.deviation, tests=tests)
    else:
        needed = queries_needed(min_effect - seen.mean, seen.deviation)
    return None if math.isinf(needed) else max(math.ceil(needed), seen.queries + 1)


TOP = 3
RULE = ((0.60, "switch"), (0.50, "marginal"), (0.0, "keep"))
"""What some teams go by instead of statistics: the share of queries whose target is among the first three hits."""


def plain_rule(share: float) -> str:
    """Switch above 60 %, marginal from 50 %, keep below."""
    if share > RULE[0][0]:
        return RULE[0][1]
    return RULE[1][1] if share >= RULE[1][0] else RULE[2][1]
