"""``mmr(0.7)``: hits that are like those before them come later (maximal marginal relevance: Carbonell and Goldstein,
SIGIR 1998)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.search.context import Context
    from embassay.types import Vectors


@dataclass(frozen=True)
class Mmr(Inner):
    """Orders the first candidates anew, each time by the one that is most relevant and least like those chosen before.

    Relevance is the score, scaled from 0 to 1 over the candidates that are looked at; likeness is the greatest cosine
    to a stored vector of those chosen. Nothing is left out.
    """

    on_ranking: ClassVar[bool] = True
    keeps_all: ClassVar[bool] = True

    weight: float = argument(0.7, least=0, most=1)
    """Of relevance; likeness counts the rest against it. 1 changes nothing."""
    depth: int = argument(50, least=1, most=1000)
    """Candidates that are looked at; those behind them stay there."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """All candidates, scored by what decided their place. Raises StoreError."""
        if self.weight == 1 or len(candidates.ranking) < 2:
            return candidates
        first, others = candidates.ranking[: self.depth], candidates.ranking[self.depth :]
        scores = [one.score for one in first]
        span = (max(scores) - min(scores)) or 1.0
        relevance = [(score - min(scores)) / span for score in scores]
        chosen = [Scored(first[at].ref, value) for at, value in self._chosen(relevance, self._cosines(context, first))]
        last = chosen[-1].score
        behind = [Scored(one.ref, last + self.weight * min(0.0, one.score - scores[-1]) / span) for one in others]
        return replace(candidates, ranking=[*chosen, *behind])

    def _chosen(self, relevance: Sequence[float], cosines: Vectors) -> list[tuple[int, float]]:
        """The candidates in their new order, each with the value by which it was chosen, which never rises."""
        import numpy as np

        gain = self.weight * np.asarray(relevance, np.float64)
        likeness = np.zeros(len(gain))
        left = np.ones(len(gain), bool)
        chosen: list[tuple[int, float]] = []
        for _ in relevance:
            value = np.where(left, gain - (1 - self.weight) * likeness, -np.inf)
            at = int(value.argmax())
            chosen.append((at, float(value[at])))
            left[at] = False
            likeness = np.maximum(likeness, cosines[at])
        return chosen

    def _cosines(self, context: Context, ranking: Sequence[Scored]) -> Vectors:
        """Between all candidates (n, n); 0 to one that has no vector."""
        import numpy as np

        stored = context.vectors([one.ref for one in ranking])
        width = len(next(iter(stored.values()), ()))
        rows = np.array([stored[one.ref] if one.ref in stored else np.zeros(width) for one in ranking], np.float32)
        made: Vectors = rows @ rows.T
        return made


STAGE = Mmr
