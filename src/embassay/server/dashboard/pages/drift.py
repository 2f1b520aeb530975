"""Drift: whether what is asked, how it scores, and the model itself are what they were; and what new questions say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.server.dashboard.history import figure_chart, signal_charts
from embassay.server.dashboard.page import DashboardPage, Values
from embassay.server.dashboard.watched import DAYS, Days, DaysQuery, reads_questions, watched
from embassay.text import DAY

if TYPE_CHECKING:
    from embassay.monitor.monitor import Monitor
    from embassay.server.call import Call
    from embassay.sets.monitoring.readings import ReadingRow


@dataclass(frozen=True, slots=True)
class Charted:
    """A figure of a signal that is drawn here."""

    signal: str
    figure: str
    title: str
    about: str


CHARTED = (
    Charted("drift", "centroid", "Distance of the means", "One minus the cosine of the mean question now and before."),
    Charted("drift", "mmd", "MMD", "Squared maximum mean discrepancy: how far the mix of topics is from the usual."),
    Charted("scores", "psi", "PSI of the scores", "Population stability index of the best raw scores."),
    Charted("scores", "ks", "Kolmogorov-Smirnov", "The greatest distance of the two distributions of scores."),
)
SIGNALS = ("drift", "scores", "canary")
"""Whose readings are shown: what is asked, how it scores, and the model."""


class DriftQuery(DaysQuery, kw_only=True):
    days: Days = 30


async def show(call: Call) -> Values:
    """The drift of the set that the address names."""
    asked: DriftQuery = call.query
    named = reads_questions(call)

    def look(monitor: Monitor) -> Values:
        now = time.time()
        since = now - asked.days * DAY
        rows = monitor.home.monitoring.readings(monitor.set.name, since=since, space=monitor.space.digest)
        mine = [row for row in rows if row.signal in SIGNALS]
        return {
            "signals": signal_charts(mine, since, now),
            "figures": _figures(mine, since, now),
            "examples": _examples(monitor) if named else [],
        }

    return {"days": asked.days, "offered": DAYS, "named": named, **await watched(call, asked.set, look)}


def _figures(rows: Sequence[ReadingRow], since: float, now: float) -> list[dict[str, object]]:
    drawn = [
        (one, figure_chart([row for row in rows if row.signal == one.signal], one.title, since, now, one.figure))
        for one in CHARTED
    ]
    return [{"title": one.title, "about": one.about, "chart": chart} for one, chart in drawn if chart]


def _examples(monitor: Monitor) -> list[str]:
    """What new questions say, where the newest searches are not what they were."""
    return [text for one in monitor.read() if one.signal in SIGNALS for text in one.examples]


PAGE = DashboardPage("drift", "Drift", show, menu=34, query=DriftQuery)
