"""``convex(0.75)``: a weighted sum of scores, each scaled by what its arm can give at least and gave at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embassay.search.arguments import argument
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores, weighted


@dataclass(frozen=True)
class Convex(Fusion):
    """TM2C2 of Bruch, Gai and Ingber, ACM TOIS 2023 (arXiv 2210.11934), section 4.

    An arm whose scores have no least one, as dot products have none, is scaled by the least and the greatest score of
    its list: the min-max scaling of the same section.
    """

    dense: float = argument(0.75, least=0, most=1)
    """The weight that dense arms share; the others share the rest."""

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """Weighted sums of scaled scores, from 0 to 1. Who is missing in a list gets its lowest score."""
        return weighted(found, {label: _scaled(one) for label, one in found.items()}, self.dense)


def _scaled(found: Found) -> Scores:
    """Scores between 0, the least that the arm can give or else the least in the list, and 1, the greatest in it."""
    if not found.scored:
        return {}
    least = found.arm.least if found.bounded else min(c.score for c in found.scored)
    span = max(c.score for c in found.scored) - least
    return {c.ref: (c.score - least) / span if span > 0 else 0.0 for c in found.scored}


STAGE = Convex
