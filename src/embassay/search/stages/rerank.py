"""``rerank(50, "NAME")``: the first candidates are scored anew by a reranker, which reads the query with each of them.

Its scores do not replace those that the candidates came with, they are added to them: both in standard deviations from
their mean, `weight` of the reranker's. What lies behind the candidates that were scored keeps its order behind them.
What was not scored in `budget_ms` keeps its earlier place among those that were.

With `margin` only hard queries are reranked: those of which the first candidate stands less than so many standard
deviations before the second. With `premium` those go to another reranker, and the others to the first one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import EmbassayError
from embassay.search.arguments import argument
from embassay.search.base import MOST, Candidates, Inner, Stage
from embassay.search.trace import Reranking
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.types import Vectors

CONFIGURED, NONE = "default", "none"
"""In place of a name: the reranker of the configuration, and no reranker."""


@dataclass(frozen=True)
class Rerank(Inner):
    """Stands behind the stage that joins the arms."""

    needs_model: ClassVar[bool] = True
    asks_another: ClassVar[bool] = True
    on_ranking: ClassVar[bool] = True
    keeps_all: ClassVar[bool] = True

    depth: int = argument(50, least=1, most=MOST)
    """Candidates that are scored."""
    model: str = CONFIGURED
    """By the name that models have; ``default``: the one of the configuration."""
    weight: float = argument(0.5, least=0, most=1)
    """Of the reranker's score; with 1 it replaces the other one."""
    budget_ms: float = argument(0.0, least=0, most=600_000)
    """Milliseconds that may be spent on one query; 0: as many as it takes."""
    margin: float = argument(0.0, least=0, most=1_000)
    """Standard deviations by which the first candidate of an easy query stands before the second; 0: all are hard."""
    premium: str = NONE
    """The reranker of hard queries, where `margin` says which they are."""

    @property
    def rerankers(self) -> Sequence[str]:
        """That of all queries, and that of hard ones."""
        return [name for name in (self.model, self.premium) if name != NONE]

    def fault(self, arms: Sequence[Stage]) -> str:  # noqa: ARG002
        """A premium reranker without a margin would have all queries, or none."""
        if self.premium != NONE and not self.margin:
            return f"{self} does not say which queries are hard: add margin=0.5, or another number."
        return ""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The candidates in their new order, and a notice about those that were not scored.

        Raises ModelError, ProviderError; UsageError for a name that is no reranker's.
        """
        head = candidates.ranking[: self.depth]
        if not head:
            return candidates
        hard = _is_hard(head, self.margin) if self.margin else None
        chosen = self._chosen(hard)
        if chosen is None:
            context.trace.reranked.append(Reranking("", hard=hard))
            return candidates
        chunks = context.chunks([one.ref for one in head])
        texts = [chunks[one.ref].indexed for one in head]
        made = context.rerank("" if chosen == CONFIGURED else chosen, texts, self.budget_ms)
        left = len(head) - len(made.scores)
        context.trace.reranked.append(Reranking(chosen, len(made.scores), left, hard, made.usage, made.truncated))
        if made.failure is not None:
            if not (context.without_model and isinstance(made.failure, EmbassayError)):
                raise made.failure
            context.trace.notices.append(f"Not reranked in full: {made.failure}")
        elif left:
            context.trace.notices.append(self._missing(left, len(head), made.refused))
        new = mixed(head, {head[at].ref: score for at, score in made.scores.items()}, self.weight)
        return replace(candidates, ranking=[*new, *_behind(candidates.ranking[self.depth :], new)])

    def _chosen(self, hard: bool | None) -> str | None:
        """The reranker that is asked; None where none is."""
        if hard is None or (hard and self.premium == NONE):
            return self.model
        if hard:
            return self.premium
        return self.model if self.premium != NONE else None

    def _missing(self, left: int, count: int, refused: Mapping[int, str]) -> str:
        if refused:
            return f"{left} of {count} candidates were not reranked: {next(iter(refused.values()))}"
        return f"{left} of {count} candidates kept their places: {self.budget_ms:g} ms were no time to rerank them."


def mixed(head: Sequence[Scored], new: Mapping[Hashable, float], weight: float) -> list[Scored]:
    """`head` in the order of its own scores and the `new` ones, both standardised over those that have both.

    One without a new score stays at its place, and the others are put in order around it. Scores go down from the first
    to the last: where one is kept at a place, it is given the score of that place.
    """
    import numpy as np

    if not new:
        return list(head)
    both = [at for at, one in enumerate(head) if one.ref in new]
    old = standardised(np.array([head[at].score for at in both], np.float64))
    scores = (1 - weight) * old + weight * standardised(np.array([new[head[at].ref] for at in both], np.float64))
    order = np.argsort(-scores, kind="stable")
    found: dict[int, Scored] = {
        place: Scored(head[both[at]].ref, float(scores[at])) for place, at in zip(both, order, strict=True)
    }
    made: list[Scored] = []
    for place, one in enumerate(head):
        before = made[-1].score if made else float(scores.max())
        made.append(found.get(place) or Scored(one.ref, before))
    return made


def standardised(scores: Vectors) -> Vectors:
    """Scores with a mean of 0 and a deviation of 1; all 0 where they are equal."""
    deviation = scores.std()
    made: Vectors = (scores - scores.mean()) / deviation if deviation > 0 else scores * 0
    return made


def _is_hard(head: Sequence[Scored], margin: float) -> bool:
    """Whether the first candidate stands before the second by less than `margin` standard deviations."""
    import numpy as np

    if len(head) < 2:
        return False
    scores = standardised(np.array([one.score for one in head], np.float64))
    return bool(scores[0] - scores[1] < margin)


def _behind(rest: Sequence[Scored], new: Sequence[Scored]) -> list[Scored]:
    """The rest in its order, with scores below all of the new ones by as much as they lie apart."""
    if not rest:
        return []
    lower = min(0.0, *(one.score for one in new)) - rest[0].score
    return [Scored(one.ref, one.score + lower) for one in rest]


STAGE = Rerank
