"""Figures of many searches, read off their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from embassay.evaluate.compare.statistics import wilson
from embassay.text import DAY

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.report.flagging import FlaggedSearches
    from embassay.monitor.searches import Searches

    Column = npt.NDArray[np.float64]

BARS = 20
"""Of the histogram of scores."""
RANKS = 10
"""First clicks are counted by their ranks so far down; those below are one count."""
PERCENTILES = (5, 25, 50, 75, 95)
LATENCIES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class FigureSpread:
    """How a figure is spread over searches."""

    count: int
    """Searches that have it."""
    least: float | None
    most: float | None
    percentiles: Mapping[str, float]
    """``p50``: half of the searches have less. Empty where no search has it."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {"count": self.count, "least": self.least, "most": self.most, **self.percentiles}


@dataclass(frozen=True, slots=True)
class Bars:
    """How many searches scored between each two edges."""

    edges: Sequence[float]
    """One more than there are bars, the lowest first."""
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class FeedbackFigures:
    """What people did with the answers."""

    with_feedback: int
    satisfied: int
    share: float | None
    """Satisfied searches among those with feedback; None where there is none."""
    interval: tuple[float, float] | None
    """95 % interval of it."""
    share_of_all: float | None
    clicked: int
    """Searches of which a hit was opened."""
    first_click: float | None
    """Mean rank of the first hit that was opened."""
    at_first: float | None
    """The share of those that were opened first whose rank is 1."""
    within_three: float | None
    ranks: Sequence[int]
    """How often the first one that was opened had rank 1, 2, ... `RANKS`, and more."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day, UTC."""

    day: str
    searches: int
    nothing_found: int
    flagged: Mapping[str, int]
    """By the signal that looks at single searches: how many it calls bad."""
    score: float | None
    """Median of the best raw score of the vectors."""
    p50_ms: float | None
    p95_ms: float | None
    with_feedback: int
    satisfied: int

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self)


def spread(values: Column, wanted: Sequence[int]) -> FigureSpread:
    """How values are spread, those apart that are NaN."""
    known = values[~np.isnan(values)]
    if not len(known):
        return FigureSpread(0, None, None, {})
    found = np.percentile(known, wanted)
    named = {f"p{at}": float(value) for at, value in zip(wanted, found, strict=True)}
    return FigureSpread(len(known), float(known.min()), float(known.max()), named)


def bars(values: Column) -> Bars:
    """A histogram of the values that are known; empty where none is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Bars((), ())
    counts, edges = np.histogram(known, BARS)
    return Bars([float(edge) for edge in edges], [int(count) for count in counts])


def feedback_figures(searches: Searches) -> FeedbackFigures:
    """What people did with the answers to these searches."""
    given, satisfied = int((searches.feedback > 0).sum()), int(searches.satisfied.sum())
    first = searches.first_click[searches.first_click > 0]
    clicked = len(first)
    ranks = np.bincount(np.minimum(first, RANKS + 1), minlength=RANKS + 2)[1:]
    return FeedbackFigures(
        given,
        satisfied,
        satisfied / given if given else None,
        wilson(satisfied, given) if given else None,
        satisfied / len(searches) if len(searches) else None,
        clicked,
        float(first.mean()) if clicked else None,
        float((first == 1).mean()) if clicked else None,
        float((first <= 3).mean()) if clicked else None,
        [int(count) for count in ranks],
    )


def by_day(searches: Searches, flagged: Mapping[str, FlaggedSearches], since: float, until: float) -> list[DayFigures]:
    """Figures of each day that has searches, the oldest first; what a clock that is wrong puts outside is left out."""
    days = (searches.asked // DAY).astype(np.int64)
    order = np.argsort(days, kind="stable")
    found = []
    for day in np.unique(days):
        if not since // DAY <= day <= until // DAY:
            continue
        rows = order[np.searchsorted(days[order], day) : np.searchsorted(days[order], day, "right")]
        bad = {name: int(one.bad[rows].sum()) for name, one in flagged.items()}
        found.append(_of_day(int(day), searches.within(rows), bad))
    return found


def _of_day(day: int, searches: Searches, flagged: Mapping[str, int]) -> DayFigures:
    took = spread(searches.took_ms, (50, 95)).percentiles
    return DayFigures(
        datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m-%d"),
        len(searches),
        int((searches.hits == 0).sum()),
        flagged,
        spread(searches.dense, (50,)).percentiles.get("p50"),
        took.get("p50"),
        took.get("p95"),
        int((searches.feedback > 0).sum()),
        int(searches.satisfied.sum()),
    )
