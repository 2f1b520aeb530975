"""``top(10)``: how many hits come out, the last stage of every pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay.search.arguments import argument
from embassay.search.base import MOST, Arm, Candidates, Last, PartialPipeline
from embassay.search.pipeline import Pipeline

if TYPE_CHECKING:
    from embassay.search.context import Context


@dataclass(frozen=True)
class Top(Last):
    """Keeps the first k of the ranking."""

    k: int = argument(10, least=1, most=MOST)

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The first k candidates, in their order."""
        return replace(candidates, ranking=candidates.ranking[: self.k])

    @property
    def hits(self) -> int:
        """k."""
        return self.k

    def deepened(self, depth: int) -> Top:
        """The same stage with `depth` in place of k."""
        return replace(self, k=depth)

    def __rrshift__(self, before: Arm | PartialPipeline) -> Pipeline:
        """End what was put together before. Raises UsageError where it makes no sense as a search."""
        if isinstance(before, Arm):
            return Pipeline((before,), (self,))
        return Pipeline(before.arms, (*before.stages, self))


STAGE = Top
