"""``exact``: what coarse arms found is ranked by the products of whole vectors, the second of two stages."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.search.base import Arm, Candidates, Found, Inner, Stage
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context


@dataclass(frozen=True)
class Exact(Inner):
    """Stands behind the arms, and before the stage that joins them: every coarse arm is scored anew."""

    needs_model: ClassVar[bool] = True
    keeps_all: ClassVar[bool] = True

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates with their exact scores, as ``dense`` gives them. Raises ModelError, StoreError."""
        coarse = {label: one for label, one in candidates.found.items() if one.arm.coarse and one.scored}
        if not coarse:
            return candidates
        vector, bounded = context.vector, context.similarity == "cosine"
        refs = list({one.ref: None for found in candidates.found.values() for one in found.scored})
        scores = dict(zip(refs, context.snapshot.dense_scores(vector, refs).tolist(), strict=True))
        rescored = {label: _ordered(found, scores, bounded) for label, found in coarse.items()}
        ranking = candidates.ranking
        if len(candidates.found) == 1:
            ranking = next(iter(rescored.values())).scored
        return replace(candidates, ranking=ranking, rescored={**candidates.rescored, **rescored})

    def fault(self, arms: Sequence[Stage]) -> str:
        """It needs a coarse arm."""
        if any(isinstance(arm, Arm) and arm.coarse for arm in arms):
            return ""
        return f"{self} ranks by whole vectors what coarse ones found, and no arm is coarse."


def _ordered(found: Found, scores: Mapping[Hashable, float], bounded: bool) -> Found:
    """What an arm found in the order of exact `scores`, and the scores of what only others found."""
    known = {ref: score for ref, score in scores.items() if not math.isnan(score)}
    own = {one.ref for one in found.scored}
    ordered = sorted((ref for ref in known if ref in own), key=lambda ref: -known[ref])
    others = {ref: score for ref, score in known.items() if ref not in own}
    return Found(found.arm, [Scored(ref, known[ref]) for ref in ordered], bounded, others)


STAGE = Exact
