"""What became of a search, by the feedback on it: whether somebody found what was asked for, and how far down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.sets.log.entry import Feedback, LoggedHit


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Of one search."""

    first_click: int = 0
    """Rank of the first hit that was opened; 0 where none was."""
    satisfied: bool = False
    """Somebody opened a hit, or a thumb went up on one or on the answer; unless one went down on the answer."""
    feedback: bool = False
    """Whether anybody said anything."""


def outcome(hits: Sequence[LoggedHit], feedback: Sequence[Feedback]) -> SearchOutcome:
    """What became of a search that found these hits."""
    if not feedback:
        return SearchOutcome()
    opened = {one.document for one in feedback if one.kind == "clicked"}
    first = min((hit.rank for hit in hits if hit.place in opened), default=0)
    return SearchOutcome(first, _is_satisfied(hits, feedback), True)


def _is_satisfied(hits: Sequence[LoggedHit], feedback: Sequence[Feedback]) -> bool:
    """A thumb about the whole answer decides; one that goes up on what was not found says that it is missing."""
    whole = {one.kind for one in feedback if not one.document}
    if whole & {"up", "down"}:
        return "up" in whole
    found = {hit.place for hit in hits}
    return any(one.kind == "clicked" or (one.kind == "up" and one.document in found) for one in feedback)
