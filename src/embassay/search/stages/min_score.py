"""``min-score("dense=0.3")``: only candidates that an arm gave at least so much."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import UsageError
from embassay.search.arguments import argument, shown
from embassay.search.base import Arm, Candidates, Inner, Stage
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.search.context import Context

EXAMPLE = "Example: dense=0.3, or dense=0.3 lexical=4"


@dataclass(frozen=True)
class MinScore(Inner):
    """Keeps a candidate if at least one of the arms named gave it the raw score named with it, or more.

    An arm that did not hand a candidate on gave it none, so that this arm is no reason to keep it.
    """

    on_ranking: ClassVar[bool] = True

    least: str = argument("dense=0")
    """Arms and scores: ``dense=0.3``, or several with spaces or commas between: ``dense=0.3 lexical=4``."""

    @classmethod
    def of(cls, least: Mapping[str, float]) -> MinScore:
        """The stage for the least score of each arm, by the arm's label. Raises UsageError."""
        for label, score in least.items():
            if isinstance(score, bool) or not isinstance(score, (int, float)):
                raise UsageError(f"min_score: that of {label!r} is {score!r}; it must be a number.")
        return cls(_written(least))

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "least", _written(read_scores(self.least)))

    @property
    def scores(self) -> Mapping[str, float]:
        """The least score by the label of its arm."""
        return read_scores(self.least)

    def fault(self, arms: Sequence[Stage]) -> str:
        """An arm is named that there is not."""
        labels = [arm.label for arm in arms if isinstance(arm, Arm)]
        unknown = next((label for label in self.scores if label not in labels), None)
        return f"no arm is called {unknown!r}. {did_you_mean(unknown, labels)}" if unknown is not None else ""

    def without_arms(self, gone: Collection[str]) -> MinScore | None:
        """The stage with the arms that are left; None where it named no other."""
        left = {label: score for label, score in self.scores.items() if label not in gone}
        return MinScore.of(left) if left else None

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates that reach a score, in their order. Where none does, a notice says what the best had."""
        kept = {
            one.ref
            for label, least in self.scores.items()
            for one in candidates.found[label].scored
            if one.score >= least
        }
        ranking = [candidate for candidate in candidates.ranking if candidate.ref in kept]
        if candidates.ranking and not ranking:
            context.trace.notices.append(f"No hit has a score of at least {self.least}: {self._best(candidates)}.")
        return replace(candidates, ranking=ranking)

    def _best(self, candidates: Candidates) -> str:
        """The greatest score of each arm that is named."""
        lists = {label: candidates.found[label].scored for label in self.scores}
        best = (f"{max(one.score for one in found):.3g} by {label}" for label, found in lists.items() if found)
        return "the best has " + (" and ".join(best) or "none")


def read_scores(text: str) -> dict[str, float]:
    """``dense=0.3 lexical=4`` as scores by label. Raises UsageError for what cannot be read."""
    scores: dict[str, float] = {}
    for part in re.split(r"[\s,]+", text.strip()):
        label, _, number = part.partition("=")
        try:
            score = float(number)
        except ValueError:
            score = math.nan
        if not label or not math.isfinite(score):
            raise UsageError(f"min-score: {part!r} is no arm with its least score.", remedy=EXAMPLE)
        if label in scores:
            raise UsageError(f"min-score: {label} is given twice.", remedy=EXAMPLE)
        scores[label] = score
    return scores


def _written(scores: Mapping[str, float]) -> str:
    return " ".join(f"{label}={shown(float(score))}" for label, score in scores.items())


STAGE = MinScore
