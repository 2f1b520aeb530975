"""How content people were with the answers of one generation, by the feedback in the query log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.sets.log.outcome import outcome

if TYPE_CHECKING:
    from embassay.sets.log.entry import LoggedQuery


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Searches of one set in one space, within a time."""

    searches: int
    with_feedback: int
    satisfied: int
    """See `embassay.sets.log.outcome`."""
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


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Searches of one generation within a time."""

    space: str
    """Digest of the space of the generation."""
    since: float
    until: float
    """Seconds since 1970; the last moment is not within."""

    def holds(self, entry: LoggedQuery) -> bool:
        """Whether a search belongs to it."""
        return self.since <= entry.asked < self.until and entry.space == self.space


def satisfaction(entries: Iterable[LoggedQuery], name: str, windows: Sequence[LogWindow]) -> list[Satisfaction]:
    """What `entries`, the newest first, say of set `name` in each window, where it was searched alone.

    They are read once, as far back as the earliest window reaches: a log may hold a hundred thousand.
    """
    earliest = min(window.since for window in windows)
    tallies = [_Tally() for _ in windows]
    for entry in entries:
        if entry.asked < earliest:
            break
        for window, tally in zip(windows, tallies, strict=True):
            if entry.sets == (name,) and window.holds(entry):
                tally.count(entry)
    return [tally.total() for tally in tallies]


class _Tally:
    def __init__(self) -> None:
        self._searches = self._with_feedback = self._satisfied = 0
        self._clicks: list[int] = []

    def count(self, entry: LoggedQuery) -> None:
        self._searches += 1
        found = outcome(entry.hits, entry.feedback)
        self._with_feedback += found.feedback
        self._satisfied += found.satisfied
        self._clicks += [found.first_click] if found.first_click else []

    def total(self) -> Satisfaction:
        mean = sum(self._clicks) / len(self._clicks) if self._clicks else None
        return Satisfaction(self._searches, self._with_feedback, self._satisfied, mean)
