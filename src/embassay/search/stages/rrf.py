"""``rrf(60)``: reciprocal rank fusion, which looks at ranks and not at scores. What an arm gives counts its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from embassay.search.arguments import argument
from embassay.search.base import Found
from embassay.search.fusion import Fusion, Scores


@dataclass(frozen=True)
class Rrf(Fusion):
    """The sum of weight / (k + rank) over the arms (Cormack, Clarke and Büttcher, SIGIR 2009)."""

    by_kind: ClassVar[bool] = False

    k: int = argument(60, least=0, most=1_000_000)
    """The greater it is, the less do the first ranks stand out."""

    @property
    def completes(self) -> bool:
        """Not: the rank of a candidate that an arm did not find is none that it gave."""
        return False

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """The sum of each candidate over the arms. An arm that did not find a candidate gives it nothing."""
        fused: Scores = {}
        for arm in found.values():
            for rank, candidate in enumerate(arm.scored, 1):
                fused[candidate.ref] = fused.get(candidate.ref, 0.0) + arm.arm.weight / (self.k + rank)
        return fused


STAGE = Rrf
