"""How content people were with the answers of one generation, by the feedback in the query log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.sets.log.entry import LoggedQuery


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Searches of one set in one space, within a time."""

    searches: int
    with_feedback: int
    satisfied: int
    """Somebody opened a hit, or a thumb went up on one or on the answer; unless one went down on the answer."""
    first_click: float | None
    """Mean rank of the first hit that was opened; None where none was."""

    @property
    def rate(self) -> float:
        """The share of satisfied searches, of all: 0 to 1."""
        return self.satisfied / self.searches if self.searches else 0.0

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        names = ("searches", "with_feedback", "satisfied", "first_click")
        return {name: getattr(self, name) for name in names}


def satisfaction(entries: Iterable[LoggedQuery], name: str, space: str, since: float, until: float) -> Satisfaction:
    """What `entries`, the newest first, say of set `name` where it was searched alone in a space, given by its digest.

    `since` and `until` are seconds since 1970.
    """
    searches = with_feedback = satisfied = 0
    clicks: list[int] = []
    for entry in entries:
        if entry.asked < since:
            break
        if entry.asked >= until or entry.sets != (name,) or entry.space != space:
            continue
        searches += 1
        with_feedback += bool(entry.feedback)
        satisfied += is_satisfied(entry)
        opened = {one.document for one in entry.feedback if one.kind == "clicked"}
        ranks = [hit.rank for hit in entry.hits if hit.place in opened]
        clicks += [min(ranks)] if ranks else []
    return Satisfaction(searches, with_feedback, satisfied, sum(clicks) / len(clicks) if clicks else None)


def is_satisfied(entry: LoggedQuery) -> bool:
    """Whether somebody found what was asked for. A thumb about the whole answer decides; one that goes up on what was
    not found says that it is missing."""
    whole = {one.kind for one in entry.feedback if not one.document}
    if whole & {"up", "down"}:
        return "up" in whole
    found = {hit.place for hit in entry.hits}
    return any(one.kind == "clicked" or (one.kind == "up" and one.document in found) for one in entry.feedback)
