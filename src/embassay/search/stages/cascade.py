"""``cascade(200)``: what dense arms found is scored again in the space that the set is being moved to.

The live space recalls, the new one ranks. Where no arm compares vectors, or the model of the live space is not there
any more, what was found by words is scored. A candidate has the score of its stored vector in the new space; where
there is none yet, its vector is made, the foremost ones first, for as long as the budget lasts. Scores of two spaces
are never compared: one that has none in the new space is placed where its old rank leads one to expect it, by what
the candidates show that have both.

Measured from all-MiniLM-L6-v2 to all-mpnet-base-v2 on SciFact, the 283 judged documents and 1,000 others, each embedded
whole, nDCG@10 (stay 0.768, re-index 0.778), by the share of vectors that are there, and how many more are made; the
means of five random backfills:

    how the two are joined        25 %     50 %     75 %     25 %, 10 made   50 %, 10 made
    raw scores compared           0.751    0.754    0.762    0.776           0.780
    standard deviations           0.764    0.761    0.762    0.780           0.780
    expected by regression        0.733    0.741    0.758    0.780           0.780
    ranks (here)                  0.764    0.767    0.770    0.780           0.780
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import EmbassayError, SpaceMismatch, StoreError, UsageError
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Found, Inner
from embassay.search.second import Cascaded
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from collections.abc import Hashable

    from embassay.search.context import Context
    from embassay.search.second import SecondSpace

NOT_THERE = (StoreError, SpaceMismatch)
"""Why nothing can be had of a second space: it is given up, and removed, at any moment, or its model is another now."""
FEWEST = 5
"""Candidates with scores in both spaces, at least, from which the place of the others is told."""


@dataclass(frozen=True)
class Cascade(Inner):
    """Stands behind the arms, and before the stage that joins them. Every arm that compares vectors is rescored, and
    every other one where none does."""

    needs_model: ClassVar[bool] = True
    keeps_all: ClassVar[bool] = True

    budget_ms: float = argument(200.0, least=0, most=600_000)
    """Milliseconds in which vectors are made that are not stored yet; 0: only those that are stored count."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates with their scores in the second space; as they are where there is none, and a notice says so.

        Raises ModelError, ProviderError, StoreError; UsageError where a measurement has no second space.
        """
        recalled = {label: one for label, one in candidates.found.items() if one.scored and not one.arm.elsewhere}
        recalled = {label: one for label, one in recalled.items() if one.arm.dense} or recalled
        second = context.second if recalled else None
        if second is None:
            if recalled and not context.without_model:
                raise UsageError("there is no second space to cascade to: the set is not being migrated.")
            return candidates
        try:
            new, counts = self._scores(context, second, recalled)
        except NOT_THERE as error:
            if not context.without_model:
                raise
            context.trace.notices.append(f"No cascade: {error}")
            return candidates
        if len(new) < FEWEST and counts.left:
            counts = Cascaded(second.space, 0, 0, counts.exact + counts.embedded + counts.left)
            rescored = {}
        else:
            bounded = second.space.similarity == "cosine"
            rescored = {label: Found(one.arm, joined(one.scored, new), bounded) for label, one in recalled.items()}
        context.trace.cascade = counts
        ranking = candidates.ranking
        if len(candidates.found) == 1 and rescored:
            ranking = next(iter(rescored.values())).scored
        return replace(candidates, ranking=ranking, rescored=rescored)

    def _scores(
        self, context: Context, second: SecondSpace, recalled: Mapping[str, Found]
    ) -> tuple[dict[Hashable, float], Cascaded]:
        """Scores in the second space, of those that could be had, and how many of which kind."""
        query = second.model.query(context.reading)
        refs = _foremost_first(recalled)
        chunks = context.chunks(refs)
        keys = {ref: chunks[ref].key for ref in refs}
        stored = second.stored([*keys.values()])
        missing = {keys[ref]: chunks[ref].indexed for ref in refs if keys[ref] not in stored}
        made, failure = second.model.within(missing, self.budget_ms) if missing else ({}, None)
        if failure is not None:
            if not (context.without_model and isinstance(failure, EmbassayError)):
                raise failure
            context.trace.notices.append(f"The cascade embeds nothing now: {failure}")
        vectors = stored | made
        scores = {ref: float(vectors[key] @ query) for ref, key in keys.items() if key in vectors}
        return scores, Cascaded(second.space, len(stored), len(made), len(refs) - len(scores))


def _foremost_first(recalled: Mapping[str, Found]) -> list[Hashable]:
    """Every candidate once: the first ones of all arms before the second ones."""
    rows = zip_longest(*(found.scored for found in recalled.values()))
    return list(dict.fromkeys(one.ref for row in rows for one in row if one is not None))


def joined(old: Sequence[Scored], new: Mapping[Hashable, float]) -> list[Scored]:
    """One list in the scale of the second space, best first: `new` scores where there are any, else expected ones.

    The rank of an old score among those of the candidates that have both is the rank of the new one that is expected,
    with a straight line between two ranks. So those that are rescored change places among themselves, and the others
    stay between the places that they stood between.
    """
    import numpy as np

    both = [one for one in old if one.ref in new]
    ours, theirs = sorted(one.score for one in both), sorted(new[one.ref] for one in both)
    expected = np.interp([one.score for one in old], ours, theirs).tolist()
    scored = (Scored(one.ref, new.get(one.ref, score)) for one, score in zip(old, expected, strict=True))
    return sorted(scored, key=lambda one: -one.score)


STAGE = Cascade
