"""``dense(100)``, ``dense(100, set="docs-mpnet")``: the chunks whose vectors are nearest to that of the query.

With ``set`` they are those of another set of the same documents, which another model made, and so is that of the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay import remedy
from embassay.errors import StoreError
from embassay.search.base import Arm, Candidates
from embassay.search.elsewhere import nearest_elsewhere, scores_elsewhere
from embassay.stores.values import VECTOR, Scored

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from embassay.search.context import Context
    from embassay.types import Chunk, Vectors

HERE = ""
"""In place of a set: the one that is searched."""
HIGHEST_COSINE = 1.01
"""No cosine is above it, at any precision."""


@dataclass(frozen=True)
class Dense(Arm):
    """Finds the same meaning in other words: by the cosine of vectors, or their dot product if the space says so."""

    needs_model: ClassVar[bool] = True
    dense: ClassVar[bool] = True
    least: ClassVar[float] = -1.0

    vectors: str = VECTOR
    """Label of the vectors that are compared, where a row has several."""
    set: str = HERE
    """The set whose vectors are compared; nothing: those of the set that is searched."""

    @property
    def elsewhere(self) -> str:
        return self.set

    def is_bounded(self, context: Context) -> bool:
        """Whether vectors are compared by cosine."""
        return (context.other(self.set).similarity if self.set else context.similarity) == "cosine"

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """The `depth` nearest chunks. Raises ModelError, ProviderError, StoreError, SetNotFound."""
        if self.set:
            ranking = nearest_elsewhere(context, self.set, self.depth, self.vectors)
        else:
            vector = context.vector  # before the snapshot, so that the store can open meanwhile
            ranking = context.snapshot.dense(vector, self.depth, context.where, label=self.vectors)
        most = self._most(context)
        _check(context, next((one for one in ranking if not abs(one.score) < most), None))
        return Candidates(ranking=ranking)

    def score(self, context: Context, refs: Sequence[Hashable]) -> Vectors:
        """The products with the vectors of `refs`, nan where a row is gone. Raises as `run` does."""
        if self.set:
            scores = scores_elsewhere(context, self.set, refs, self.vectors)
        else:
            scores = context.snapshot.dense_scores(context.vector, refs, label=self.vectors)
        beyond = (abs(scores) >= self._most(context)).nonzero()[0].tolist()
        _check(context, next((Scored(refs[at], float(scores[at])) for at in beyond), None))
        return scores

    def _most(self, context: Context) -> float:
        """What the size of every score is below."""
        return HIGHEST_COSINE if self.is_bounded(context) else float("inf")


def _check(context: Context, bad: Scored | None) -> None:
    """Raises StoreError for a score that no sound vector gives; None: every one is sound."""
    if bad is not None:
        raise _damaged(context.snapshot.fetch([bad.ref]), bad.score)


def _damaged(chunks: Sequence[Chunk], score: float) -> StoreError:
    """The error for a stored vector that can be none: it gives a score that is no number, or above every cosine."""
    where = f"{chunks[0].path}, lines {chunks[0].lines[0]}-{chunks[0].lines[1]}" if chunks else "a chunk"
    return StoreError(
        f"the stored vector of {where} is damaged: its score is {score:.3g}.",
        remedy=remedy.command("index", "FOLDER", set="NAME", say="Index into a new set"),
    )


STAGE = Dense
