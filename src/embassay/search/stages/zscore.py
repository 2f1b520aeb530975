"""``zscore(0.5)``: a weighted sum of scores in standard deviations from the mean of their list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from embassay.search.arguments import argument
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores, weighted


@dataclass(frozen=True)
class ZScore(Fusion):
    """Says how far a candidate stands out of what its arm found."""

    dense: float = argument(0.5, least=0, most=1)
    """The weight that dense arms share; the others share the rest."""

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """Weighted sums of standardised scores. Who is missing in a list gets its lowest score."""
        return weighted(found, {label: _standardised(one) for label, one in found.items()}, self.dense)


def _standardised(found: Found) -> Scores:
    """Scores with a mean of 0 and a deviation of 1; all 0 where they are equal."""
    if not found.scored:
        return {}
    mean = math.fsum(c.score for c in found.scored) / len(found.scored)
    deviation = math.sqrt(math.fsum((c.score - mean) ** 2 for c in found.scored) / len(found.scored))
    return {c.ref: (c.score - mean) / deviation if deviation > 0 else 0.0 for c in found.scored}


STAGE = ZScore
