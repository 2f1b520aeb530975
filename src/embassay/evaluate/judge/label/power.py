"""Whether enough is judged to tell the candidates apart, found out without a look at which of them is ahead.

Whoever looks at the verdict after every question, and stops once it is a good one, will see a difference where there
is none far more often than in 5 % of cases. So no verdict is told while somebody judges, only how many questions are
needed. That number is computed of the spread of the differences about zero, which does not depend on who wins: such
blinded adjustments of the sample size leave the level of the test as it is (Kieser and Friede, Statistics in Medicine
2003). A true difference makes the spread about zero larger, so that the number errs towards more questions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embassay.evaluate.compare.result import DIFFERING
from embassay.evaluate.compare.statistics import ROUNDING, detectable, queries_needed
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES

EFFECT = 0.05
"""Of nDCG@10: a difference that people notice."""


@dataclass(frozen=True, slots=True)
class Power:
    """What the questions that are judged can show."""

    judged: int
    """Questions with a relevant result; no comparison can use the others."""
    effect: float
    """The true difference that is to be seen."""
    detectable: float | None
    """The least true difference that is seen in 4 of 5 cases; None: it cannot be said yet."""
    more: int | None
    """Questions that are still needed to see `effect`; None: it cannot be said yet."""

    @property
    def enough(self) -> bool:
        """Whether a difference of `effect` would be seen."""
        return self.more == 0

    @property
    def sentence(self) -> str:
        """What it says to somebody who wonders whether to go on."""
        some = f"{self.judged:,} {'question' if self.judged == 1 else 'questions'} with an answer"
        if self.judged < MIN_QUERIES:
            return f"{some} so far; with fewer than {MIN_QUERIES} nothing can be decided."
        if self.more is None:
            return f"{some}, and the candidates hardly differ on them: how many would tell them apart cannot be said."
        if self.enough:
            return f"Enough: {some} show a true difference of {self.effect:g} nDCG@10 in 4 of 5 cases."
        least = (
            "no difference yet" if self.detectable is None else f"a true difference of {self.detectable:.2f} nDCG@10"
        )
        return f"{some} show {least} in 4 of 5 cases; about {self.more:,} more would show {self.effect:g}."

    def to_dict(self) -> dict[str, object]:
        """The power as JSON has it."""
        return {
            "judged": self.judged,
            "effect": self.effect,
            "detectable": self.detectable,
            "more": self.more,
            "enough": self.enough,
        }


def power_of(scores: Mapping[str, Sequence[float]], effect: float = EFFECT) -> Power:
    """What questions can show whose nDCG@10 under each candidate is `scores`, the candidate in use first."""
    if not scores:
        return Power(0, effect, None, MIN_QUERIES)
    first, *others = scores.values()
    judged = len(first)
    spreads = [_about_zero(first, other) for other in others]
    known = [deviation for deviation, differing in spreads if differing >= DIFFERING]
    if judged < MIN_QUERIES or not known:
        return Power(judged, effect, None, max(1, MIN_QUERIES - judged) if judged < MIN_QUERIES else None)
    tests = len(others)
    least = detectable(judged, max(known), tests=tests, min_effect=MIN_EFFECT)
    needed = queries_needed(effect, max(known), tests=tests, min_effect=MIN_EFFECT)
    return Power(judged, effect, least if least <= 1 else None, max(0, math.ceil(needed) - judged))


def _about_zero(first: Sequence[float], other: Sequence[float]) -> tuple[float, int]:
    """Standard deviation of the differences about zero, and how many questions differ."""
    gaps = [b - a for a, b in zip(first, other, strict=True)]
    return math.sqrt(sum(gap * gap for gap in gaps) / max(1, len(gaps))), sum(abs(gap) > ROUNDING for gap in gaps)
