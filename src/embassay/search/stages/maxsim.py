"""``maxsim(60)``: candidates are compared with the query token by token, by vectors of the model's own tokens.

Stands behind the stage that joins the arms. What late interaction says of the first candidates, and what the ranking
said of them, are added in standard deviations; the model is the one of the set, and no other is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import EmbassayError, StoreError
from embassay.search.arguments import argument
from embassay.search.base import MOST, Candidates, Inner
from embassay.search.blend import blended
from embassay.search.late import late_scores

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from embassay.search.context import Context
    from embassay.search.late import LateModel
    from embassay.stores.tokens.codes import PackedTokens
    from embassay.types import Chunk

NO_LIMIT_MS = 3_600_000.0
"""In a measurement every candidate is scored: what a busy machine leaves out would be part of the figure."""


@dataclass(frozen=True)
class MaxSim(Inner):
    """Orders the first candidates by late interaction as well."""

    needs_model: ClassVar[bool] = True
    on_ranking: ClassVar[bool] = True
    keeps_all: ClassVar[bool] = True

    depth: int = argument(60, least=1, most=MOST)
    """Candidates that are compared."""
    weight: float = argument(0.5, least=0, most=1)
    """Of late interaction; the ranking that was handed in has the rest."""
    budget_ms: float = argument(300.0, least=0, most=600_000)
    """Milliseconds in which texts are read by the model whose tokens have no vectors yet, the first ones first."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates, the first of them in a new order. Whoever could not be compared in time keeps its place.

        Raises ModelError where the model of the set has no vectors of tokens, StoreError.
        """
        ranking = candidates.ranking
        if not ranking:
            return candidates
        model = context.late_model
        query = model.model.query(context.reading)
        refs = [one.ref for one in ranking[: self.depth]]
        texts = self._texts(context, model, refs)
        if len(texts) < len(refs):
            context.trace.notices.append(
                f"{self}: {len(texts)} of {len(refs)} candidates were compared within {self.budget_ms:g} ms; "
                "the others keep their places."
            )
        return replace(candidates, ranking=blended(ranking, late_scores(query, texts), self.weight))

    def _texts(self, context: Context, model: LateModel, refs: Sequence[Hashable]) -> Mapping[Hashable, PackedTokens]:
        """The tokens of as many candidates as can be had."""
        chunks = context.chunks(refs)
        budget = self.budget_ms if context.without_model else NO_LIMIT_MS
        found = self._stored(context, model, [chunks[ref] for ref in refs])
        missing = {chunks[ref].key: chunks[ref].indexed for ref in refs if chunks[ref].key not in found}
        made, failure = model.model.within(missing, budget) if missing else ({}, None)
        if failure is not None:
            if not (context.without_model and isinstance(failure, EmbassayError)):
                raise failure
            context.trace.notices.append(f"{self} reads no more texts: {failure}")
        found |= made
        return {ref: found[chunks[ref].key] for ref in refs if chunks[ref].key in found}

    def _stored(self, context: Context, model: LateModel, chunks: Sequence[Chunk]) -> dict[str, PackedTokens]:
        """What the set keeps. A search goes on without it where it is damaged."""
        try:
            return model.stored(chunks)
        except StoreError as error:
            if not context.without_model:
                raise
            context.trace.notices.append(f"{self} reads texts anew: {error}")
            return {}


STAGE = MaxSim
