"""``group``, ``group("path")``, ``group("document", rest=0.3)``: the best chunk of each document.

Documents are ranked by their best chunks, or by several of them: those that were found, or behind ``siblings`` all.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import UsageError
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.search.documents import DOCUMENT, check_field, documents, folded
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context


@dataclass(frozen=True)
class Group(Inner):
    """Lets the best chunk of each document stand for the others, which come out behind it."""

    on_ranking: ClassVar[bool] = True
    folds: ClassVar[bool] = True

    by: str = argument(DOCUMENT)
    """``document``, or ``path`` where all records of a file count as one."""
    rest: float = argument(0.0, least=0, most=1)
    """How much a second chunk of a document adds to the score of its best; a third one adds this share of that share.
    0: documents are ranked by their best chunks."""
    mean: int = argument(0, least=0, most=1_000)
    """Of so many of its best chunks the mean score is that of the document, of all where there are fewer; 0: not so."""
    smooth: float = argument(0.0, least=0, most=100)
    """The smooth maximum of all its chunks (log-sum-exp) is the score of the document; so many standard deviations of
    all scores behind the best one a chunk still counts for something. 0: not so."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_field(self.by, "grouped")
        given = [name for name in ("rest", "mean", "smooth") if getattr(self, name)]
        if len(given) > 1:
            raise UsageError(
                f"a document has one score, and {' and '.join(given)} say two.", remedy=f"Leave {given[0]} out."
            )

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The best candidate of each document. Raises StoreError."""
        groups: dict[tuple[str, str], list[Scored]] = {}
        for name, candidate in zip(documents(context, candidates.ranking, self.by), candidates.ranking, strict=True):
            groups.setdefault(name, []).append(candidate)
        heads: dict[Hashable, Hashable] = {one.ref: first.ref for first, *others in groups.values() for one in others}
        made = folded(candidates, heads)
        if not (self.rest or self.mean or self.smooth):
            return made
        scored = self._scores([[one.score for one in group] for group in groups.values()])
        ranking = [Scored(group[0].ref, score) for group, score in zip(groups.values(), scored, strict=True)]
        return replace(made, ranking=sorted(ranking, key=lambda one: -one.score))

    def _scores(self, groups: Sequence[Sequence[float]]) -> list[float]:
        """The score of each group of scores, which are sorted, the best first."""
        import statistics  # which takes longer to load than a search that groups nothing has

        every = [score for group in groups for score in group]
        if self.mean:
            return [statistics.fmean(group[: self.mean]) for group in groups]
        if self.smooth:
            reach = self.smooth * statistics.pstdev(every) if every else 0.0
            return [_smooth_maximum(group, reach) for group in groups]
        least = min(every, default=0.0)  # what the others add is counted from the lowest score of all
        return [math.fsum((score - least) * self.rest**at for at, score in enumerate(group)) for group in groups]


def _smooth_maximum(scores: Sequence[float], reach: float) -> float:
    """The logarithm of the sum of exponentials, where scores count in units of `reach`."""
    best = max(scores)
    if not reach > 0:
        return best
    return best + reach * math.log(math.fsum(math.exp((score - best) / reach) for score in scores))


STAGE = Group
