"""Quality over time: what the signals said, how scores are spread against the baseline, and which queries fail."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from embassay.evaluate.report.series import SpreadChart, histogram
from embassay.monitor.report.made import make_report
from embassay.monitor.report.page import day_charts
from embassay.remedy import command
from embassay.server.dashboard.history import signal_charts
from embassay.server.dashboard.page import DashboardPage, Values
from embassay.server.dashboard.watched import DAYS, DaysQuery, reads_questions, steps_of, watched
from embassay.text import DAY

if TYPE_CHECKING:
    from embassay.monitor.monitor import Monitor
    from embassay.monitor.report.made import QualityReport
    from embassay.server.call import Call
    from embassay.sets.monitoring.table import BaselineRow


async def show(call: Call) -> Values:
    """The last days of the set that the address names."""
    asked: DaysQuery = call.query

    def look(monitor: Monitor) -> Values:
        now, tables = time.time(), monitor.home.monitoring
        since = now - asked.days * DAY
        space = monitor.space.digest
        rows = tables.readings(monitor.set.name, since=since, space=space)
        report = make_report(monitor, asked.days)
        baseline = tables.baseline(monitor.set.name, space)
        return {
            "report": report,
            "signals": signal_charts(rows, since, now),
            "baseline": baseline,
            "make_baseline": steps_of(
                command("monitor baseline", set=monitor.set.name, say="Write down what is good now")
            ),
            "check": steps_of(command("monitor check", set=monitor.set.name)),
            "day_charts": [(title, Markup(chart)) for title, chart in day_charts(report)],
            "scores": Markup(_scores(report, baseline)),
            "has_usual": bool(_usual_scores(baseline)),
        }

    named = reads_questions(call)
    return {"days": asked.days, "offered": DAYS, "named": named, **await watched(call, asked.set, look)}


def _scores(report: QualityReport, baseline: BaselineRow | None) -> str:
    """The raw scores of the best hits now, and those of the baseline over the same range."""
    bars, usual = report.histogram, _usual_scores(baseline)
    if not bars.counts:
        return ""
    edges = np.array(bars.edges)
    if usual:
        edges = np.linspace(min(edges[0], *usual), max(edges[-1], *usual), len(edges))
    middle = (np.array(bars.edges[:-1]) + np.array(bars.edges[1:])) / 2
    now = np.histogram(middle, edges, weights=np.array(bars.counts, float))[0]
    before = np.histogram(usual, edges)[0] / max(1, len(usual)) if usual else ()
    return histogram(
        SpreadChart(
            "Best raw score of the vectors, now against the baseline",
            edges.tolist(),
            (now / max(1.0, now.sum())).tolist(),
            [float(one) for one in before],
        )
    )


def _usual_scores(baseline: BaselineRow | None) -> list[float]:
    """The scores that the baseline has written down, if it has."""
    found = baseline.parts.get("scores") if baseline else None
    kept = found.get("scores") if isinstance(found, dict) else None
    return [float(one) for one in kept if isinstance(one, (int, float))] if isinstance(kept, list) else []


PAGE = DashboardPage("quality", "Quality", show, menu=30, query=DaysQuery)
