"""``coarse(100, dims=64)``: the chunks whose coarse vectors are nearest to that of the query, for `exact` to rank.

Coarse vectors are heads of the stored ones where the model was trained for that (Matryoshka), else what a PCA of the
set makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.search.arguments import argument
from embassay.search.base import MOST, Arm, Candidates

if TYPE_CHECKING:
    from embassay.search.context import Context

DIMENSIONS = 64


@dataclass(frozen=True)
class Coarse(Arm):
    """The first of two stages: it reads a part of the numbers of each vector."""

    needs_model: ClassVar[bool] = True
    dense: ClassVar[bool] = True
    coarse: ClassVar[bool] = True
    least: ClassVar[float] = -1.0

    dims: int = argument(DIMENSIONS, least=1, most=MOST)
    """Of the coarse vectors."""

    def is_bounded(self, context: Context) -> bool:
        """Whether vectors are compared by cosine."""
        return context.similarity == "cosine"

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The `depth` nearest chunks by coarse vectors. Raises UsageError where the set has none of so many dimensions,
        ModelError, ProviderError, StoreError."""
        form = context.coarse(self.dims)
        vector = context.vector  # before the snapshot, so that the store can open meanwhile
        return Candidates(ranking=context.snapshot.coarse(vector, self.depth, form, context.where))


STAGE = Coarse
