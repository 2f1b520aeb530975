"""``siblings(50)``: the other chunks of the documents that were found are candidates as well.

An arm hands on the best chunks of all, so that of a document those are missing that are a little worse. Where a
document is ranked by several of its chunks (``group("document", mean=3)``), all of them have to be known.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from embassay.search.again import foremost
from embassay.search.arguments import argument
from embassay.search.base import MOST, Candidates, Found, Inner
from embassay.search.documents import DOCUMENT, check_field, documents
from embassay.stores.filters.values import In

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.stores.values import Scored


@dataclass(frozen=True)
class Siblings(Inner):
    """Stands before the stage that joins the arms: each arm scores all chunks of the documents of its first finds."""

    asks: ClassVar[bool] = True

    depth: int = argument(50, least=1, most=1_000)
    """Candidates, the foremost of all arms together, whose documents are looked at."""
    by: str = argument(DOCUMENT)
    """``document``, or ``path`` where all records of a file count as one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_field(self.by, "completed")

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """What the arms found, and what they give to the other chunks of these documents. Raises what arms raise."""
        first = foremost(candidates.found, self.depth)
        if not first:
            return candidates
        names = {name: None for _, name in documents(context, first, self.by)}
        with context.asking(candidates.asked), context.narrowed(In(self.by, tuple(names))):
            found = {label: _completed(context, one) for label, one in candidates.found.items()}
        ranking = next(iter(found.values())).scored if len(found) == 1 else ()
        return replace(candidates, found=found, ranking=ranking)


def _completed(context: Context, found: Found) -> Found:
    """What an arm found, with what it finds of the documents that the context is narrowed to."""
    made = found.arm.deepened(MOST).run(context, Candidates()).ranking
    known: dict[Hashable, Scored] = {one.ref: one for one in (*found.scored, *made)}
    return replace(found, scored=sorted(known.values(), key=lambda one: -one.score))


STAGE = Siblings
