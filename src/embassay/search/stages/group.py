"""``group``, ``group("path")``, ``group("document", rest=0.3)``: the best chunk of each document."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

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

    def __post_init__(self) -> None:
        super().__post_init__()
        check_field(self.by, "grouped")

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The best candidate of each document. Raises StoreError."""
        groups: dict[tuple[str, str], list[Scored]] = {}
        for name, candidate in zip(documents(context, candidates.ranking, self.by), candidates.ranking, strict=True):
            groups.setdefault(name, []).append(candidate)
        heads: dict[Hashable, Hashable] = {one.ref: first.ref for first, *others in groups.values() for one in others}
        made = folded(candidates, heads)
        return replace(made, ranking=self._summed([*groups.values()])) if self.rest else made

    def _summed(self, groups: Sequence[Sequence[Scored]]) -> list[Scored]:
        """The first of each group with what the others add, counted from the lowest score of all."""
        least = min((one.score for group in groups for one in group), default=0.0)
        summed = [
            Scored(group[0].ref, math.fsum((one.score - least) * self.rest**at for at, one in enumerate(group)))
            for group in groups
        ]
        return sorted(summed, key=lambda one: -one.score)


STAGE = Group
