"""``zscore(0.5)``: a weighted sum of scores in standard deviations from the mean of their list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from embassay.search.arguments import argument
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores, raw_scores, weighted


@dataclass(frozen=True)
class ZScore(Fusion):
    """Says how far a candidate stands out of what its arm found."""

    dense: float = argument(0.5, least=0, most=1)
    """The weight that dense arms share; the others share the rest."""

    complete: bool = argument(True)
    """Whether an arm scores what only others found; else those get the lowest score of its list."""

    @property
    def completes(self) -> bool:
        return self.complete

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """Weighted sums of standardised scores."""
        return weighted(found, {label: _standardised(one) for label, one in found.items()}, self.dense)


def _standardised(found: Found) -> Scores:
    """Scores with a mean of 0 and a deviation of 1; all 0 where they are equal."""
    scores = raw_scores(found)
    if not scores:
        return {}
    mean = math.fsum(scores.values()) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores.values()) / len(scores))
    return {ref: (score - mean) / deviation if deviation > 0 else 0.0 for ref, score in scores.items()}


STAGE = ZScore
