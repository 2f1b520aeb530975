"""``dense(100)``, ``dense(100, vectors="coarse")``: the chunks whose vectors are nearest to that of the query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.search.base import Arm, Candidates
from embassay.stores.values import VECTOR

if TYPE_CHECKING:
    from embassay.search.context import Context


@dataclass(frozen=True)
class Dense(Arm):
    """Finds the same meaning in other words: by the cosine of vectors, or their dot product if the space says so."""

    needs_model: ClassVar[bool] = True
    dense: ClassVar[bool] = True
    least: ClassVar[float] = -1.0

    vectors: str = VECTOR
    """Label of the vectors that are compared, where a row has several."""

    def is_bounded(self, context: Context) -> bool:
        """Whether vectors are compared by cosine."""
        return context.similarity == "cosine"

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The `depth` nearest chunks. Raises ModelError, ProviderError, StoreError."""
        vector = context.embed(context.query, "query")  # before the snapshot, so that the store can open meanwhile
        return Candidates(ranking=context.snapshot.dense(vector, self.depth, context.where, label=self.vectors))


STAGE = Dense
