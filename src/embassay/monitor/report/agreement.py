"""Whether people were satisfied where scores were high: what the scores of a set can be trusted for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

FEWEST = 10
"""Searches of either kind, satisfied and not, below which nothing is said."""
CONFIDENCE = 0.95
HALVINGS = 50


@dataclass(frozen=True, slots=True)
class ScoreAgreement:
    """Of searches with feedback and a score of the vectors."""

    satisfied: int
    unsatisfied: int
    auc: float | None = None
    """The chance that a satisfied search scores higher than one that was not, 0.5 where scores say nothing; None for
    too few."""
    interval: tuple[float, float] | None = None
    """95 %, by method 5 of Newcombe (Statistics in Medicine, 2006), which holds of few searches and near 1 as well."""
    correlation: float | None = None
    """Point-biserial: None for too few, and where all scores are equal."""

    @property
    def said(self) -> str:
        """In one sentence."""
        if self.auc is None or self.interval is None:
            return (
                f"Not enough feedback to say whether scores tell who is satisfied: {FEWEST} satisfied and {FEWEST} "
                f"unsatisfied searches are needed, and there are {self.satisfied:,} and {self.unsatisfied:,}."
            )
        low, high = self.interval
        means = "higher scores go with satisfied searches" if low > 0.5 else "it cannot be told from chance"
        means = "higher scores go with unsatisfied searches" if high < 0.5 else means
        correlation = "" if self.correlation is None else f"; point-biserial correlation {self.correlation:+.2f}"
        return (
            f"A satisfied search scores higher than an unsatisfied one in {self.auc:.0%} of the pairs (95 % interval "
            f"{low:.0%} to {high:.0%}{correlation}): {means}."
        )

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        interval = None if self.interval is None else [*self.interval]
        return {
            "satisfied": self.satisfied,
            "unsatisfied": self.unsatisfied,
            "auc": self.auc,
            "interval": interval,
            "correlation": self.correlation,
        }


def agreement(scores: npt.NDArray[np.float64], satisfied: npt.NDArray[np.bool_]) -> ScoreAgreement:
    """How the scores of searches with feedback go with whether they were satisfied. Scores may be NaN."""
    known = ~np.isnan(scores)
    scores, satisfied = scores[known], satisfied[known]
    yes, no = int(satisfied.sum()), int((~satisfied).sum())
    if min(yes, no) < FEWEST:
        return ScoreAgreement(yes, no)
    auc = float((_ranks(scores)[satisfied].sum() - yes * (yes + 1) / 2) / (yes * no))
    flat = float(scores.std()) < 1e-12
    correlation = None if flat else float(np.corrcoef(scores, satisfied)[0, 1])
    return ScoreAgreement(yes, no, auc, _interval(auc, yes, no), correlation)


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks


def _interval(auc: float, yes: int, no: int) -> tuple[float, float]:
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    pairs, spare = yes * no, (yes + no) / 2 - 1

    def reach(true: float) -> float:
        spread = true * (1 - true) * (1 + spare * (1 - true) / (2 - true) + spare * true / (1 + true)) / pairs
        return z * math.sqrt(max(spread, 0.0))

    low = _edge(0.0, auc, lambda true: auc - true > reach(true))
    high = _edge(1.0, auc, lambda true: true - auc > reach(true))
    return low, high


def _edge(outside: float, inside: float, is_outside: Callable[[float], bool]) -> float:
    """Where values stop being outside, between one that is and one that is not."""
    for _ in range(HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if is_outside(middle) else (outside, middle)
    return inside
