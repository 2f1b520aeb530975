"""``convex(0.75)``: a weighted sum of scores, each scaled by what its arm can give at least and gave at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embassay.search.arguments import argument
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores, scaled, weighted


@dataclass(frozen=True)
class Convex(Fusion):
    """TM2C2 of Bruch, Gai and Ingber, ACM TOIS 2023 (arXiv 2210.11934), section 4.

    An arm whose scores have no least one, as dot products have none, is scaled by the least and the greatest score of
    its list: the min-max scaling of the same section.
    """

    dense: float = argument(0.75, least=0, most=1)
    """The weight that dense arms share; the others share the rest."""

    complete: bool = argument(True)
    """Whether an arm scores what only others found; else those get the lowest score of its list."""

    @property
    def completes(self) -> bool:
        return self.complete

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """Weighted sums of scaled scores, from 0 to 1."""
        return weighted(found, {label: scaled(one) for label, one in found.items()}, self.dense)


STAGE = Convex
