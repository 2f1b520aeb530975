"""``group``, ``group("path")``: the best chunk of each document."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.errors import UsageError
from embassay.search.arguments import argument
from embassay.search.base import Candidates, Inner
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.stores.values import Scored

FIELDS = ("document", "path")
"""What chunks can be put together by: a document is a file or one record of it, a path is a whole file."""


@dataclass(frozen=True)
class Group(Inner):
    """Lets the best chunk of each document stand for the others, which come out behind it."""

    on_ranking: ClassVar[bool] = True
    folds: ClassVar[bool] = True

    by: str = argument("document")
    """``document``, or ``path`` where all records of a file count as one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.by not in FIELDS:
            raise UsageError(f"hits cannot be grouped by {self.by!r}.", remedy=did_you_mean(self.by, FIELDS))

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """The first candidate of each document, in their order. Raises StoreError."""
        groups: dict[tuple[str, str], list[Scored]] = {}
        chunks = context.chunks([candidate.ref for candidate in candidates.ranking])
        for candidate in candidates.ranking:
            name = context.set_of(candidate.ref), getattr(chunks[candidate.ref], self.by)
            groups.setdefault(name, []).append(candidate)
        behind: dict[Hashable, list[Scored]] = {first.ref: others for first, *others in groups.values()}
        return replace(candidates, ranking=[first for first, *_ in groups.values()], behind=behind)


STAGE = Group
