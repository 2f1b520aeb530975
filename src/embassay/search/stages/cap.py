"""``cap(2)``, ``cap(2, "path")``: at most so many hits of one document."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.search.documents import DOCUMENT, check_field, documents, folded

if TYPE_CHECKING:
    from embassay.search.context import Context


@dataclass(frozen=True)
class Cap(Inner):
    """Keeps the first of each document, and lets the last one that it keeps stand for those after it."""

    on_ranking: ClassVar[bool] = True
    folds: ClassVar[bool] = True

    most: int = argument(2, least=1, most=1000)
    by: str = argument(DOCUMENT)
    """``document``, or ``path`` where all records of a file count as one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_field(self.by, "capped")

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """At most `most` candidates of each document, in their order. Raises StoreError."""
        kept: dict[tuple[str, str], list[Hashable]] = {}
        heads: dict[Hashable, Hashable] = {}
        for name, candidate in zip(documents(context, candidates.ranking, self.by), candidates.ranking, strict=True):
            own = kept.setdefault(name, [])
            if len(own) < self.most:
                own.append(candidate.ref)
            else:
                heads[candidate.ref] = own[-1]
        return folded(candidates, heads)


STAGE = Cap
