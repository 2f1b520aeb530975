"""How the searches of a set went in the last days, all of them: made in seconds of a million."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import UsageError
from embassay.monitor.report.agreement import ScoreAgreement, agreement
from embassay.monitor.report.figures import (
    LATENCIES,
    PERCENTILES,
    Bars,
    DayFigures,
    FeedbackFigures,
    FigureSpread,
    bars,
    by_day,
    feedback_figures,
    spread,
)
from embassay.monitor.report.flagging import flagged_by_signals
from embassay.monitor.report.queries import AskedQuery, FoundQueries, find_queries
from embassay.text import DAY, count

if TYPE_CHECKING:
    from embassay.monitor.base import NamedReading
    from embassay.monitor.monitor import Monitor
    from embassay.sets.log.entry import LoggedText
    from embassay.sets.monitoring.alerts import Alert

DAYS = 7
MOST_DAYS = 3_650
LONGEST = 120
"""Characters of a query that are shown."""
SHOWN = 10
"""Hot and failing queries that are named."""


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query of the report, with what the log keeps of its text."""

    query: AskedQuery
    text: LoggedText

    @property
    def shown(self) -> str:
        """As a report has it on one line."""
        said = str(self.text)
        return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        one = self.query
        return {
            "query": self.text.query,
            "form": self.text.form,
            "asked": one.asked,
            "nothing_found": one.nothing_found,
            "flagged": dict(one.flagged),
            "with_feedback": one.with_feedback,
            "satisfied": one.satisfied,
            "clicked": one.clicked,
            "score": one.score,
            "failures": [*one.failures],
        }


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One set in its live space."""

    set: str
    space: str
    """As it is written."""
    since: float
    """Seconds since 1970."""
    until: float
    log: str
    """What the configuration says of the query log: off, hashed or kept."""
    searches: int
    other_spaces: int
    """Searches of the set in other spaces, whose scores are of another kind: they are not in the figures."""
    nothing_found: int
    flagged: Mapping[str, tuple[str, int, int]]
    """By the signal that looks at single searches: its title, how many it calls bad, and of how many it can tell."""
    scores: FigureSpread
    histogram: Bars
    took_ms: FigureSpread
    feedback: FeedbackFigures
    agreement: ScoreAgreement
    days: Sequence[DayFigures]
    different: int
    """Queries, of which equal ones are one."""
    hot: Sequence[NamedQuery]
    failing: Sequence[NamedQuery]
    failed: int
    """Queries that fail."""
    readings: Sequence[NamedReading]
    alerts: Sequence[Alert]
    """Those that are on."""
    window: int
    """Searches that the signals look at: the newest, so many at most."""

    @property
    def number_of_days(self) -> int:
        """That it tells of."""
        return round((self.until - self.since) / DAY)

    @property
    def notes(self) -> list[str]:
        """What whoever reads it has to know."""
        said = []
        if self.log == "off":
            off = f"The query log is off{'' if self.searches else ', so that there is nothing to report'}: "
            mend = remedy.setting("query_log", "kept").in_shell()
            said.append(f"{off}searches are kept from the moment on that the configuration has {mend}.")
        elif not self.searches:
            said.append("No search of this set is in the query log in this time.")
        if self.other_spaces:
            others = count(self.other_spaces, "search", "searches")
            said.append(f"{others} in other spaces are not counted: their scores are of another kind.")
        if any(one.text.form == "hashed" for one in (*self.hot, *self.failing)):
            said.append(
                "Queries are hashed in this log: equal queries have equal hashes, and what they say is not kept. "
                "With query_log: kept a report has their words."
            )
        return said

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "set": self.set,
            "space": self.space,
            "since": self.since,
            "until": self.until,
            "query_log": self.log,
            "searches": self.searches,
            "other_spaces": self.other_spaces,
            "queries": self.different,
            "nothing_found": self.nothing_found,
            "flagged": {name: {"bad": bad, "of": of} for name, (_, bad, of) in self.flagged.items()},
            "scores": {
                **self.scores.to_dict(),
                "histogram": {"edges": [*self.histogram.edges], "counts": [*self.histogram.counts]},
            },
            "took_ms": self.took_ms.to_dict(),
            "feedback": self.feedback.to_dict(),
            "agreement": self.agreement.to_dict(),
            "days": [day.to_dict() for day in self.days],
            "hot": [one.to_dict() for one in self.hot],
            "failing": [one.to_dict() for one in self.failing],
            "failing_queries": self.failed,
            "window": self.window,
            "readings": [one.to_dict() for one in self.readings],
            "alerts": [one.to_dict() for one in self.alerts],
            "notes": self.notes,
        }


def make_report(monitor: Monitor, days: int = DAYS) -> QualityReport:
    """Read the searches of the last days. Raises UsageError, SetNotFound, HomeError."""
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"days is {days:,}; it must be between 1 and {MOST_DAYS:,}.")
    space, until = monitor.space, time.time()
    since = until - days * DAY
    searches = monitor.searches(space, since=since)
    by_space = monitor.home.monitoring.searches_by_space(monitor.set.name, since)
    flagged = flagged_by_signals(monitor, space, searches)
    found = find_queries(searches, flagged, SHOWN)
    answered = searches.within(searches.feedback > 0)
    return QualityReport(
        monitor.set.name,
        str(space),
        since,
        until,
        monitor.home.query_log.config.queries,
        len(searches),
        sum(number for of, number in by_space.items() if of != space.digest),
        int((searches.hits == 0).sum()),
        {name: (one.title, int(one.bad.sum()), int((one.levels >= 0).sum())) for name, one in flagged.items()},
        spread(searches.dense, PERCENTILES),
        bars(searches.dense),
        spread(searches.took_ms, LATENCIES),
        feedback_figures(searches),
        agreement(answered.dense, answered.satisfied > 0),
        by_day(searches, flagged, since, until),
        found.different,
        *_named(monitor, found),
        found.failed,
        monitor.read(),
        monitor.home.monitoring.alerts(monitor.set.name),
        monitor.config.window,
    )


def _named(monitor: Monitor, found: FoundQueries) -> tuple[list[NamedQuery], list[NamedQuery]]:
    texts = monitor.home.query_log.texts([one.seq for one in (*found.hot, *found.failing)])

    def named(queries: Sequence[AskedQuery]) -> list[NamedQuery]:
        return [NamedQuery(one, texts[one.seq]) for one in queries if one.seq in texts]  # it may be cleared meanwhile

    return named(found.hot), named(found.failing)
