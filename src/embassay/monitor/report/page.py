"""The report on the searches of a set as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embassay.evaluate.report.series import Moment, SpreadChart, TimeChart, histogram, over_time
from embassay.evaluate.report.template import filled
from embassay.files import write_whole
from embassay.monitor.report.figures import RANKS
from embassay.text import DAY, moment, share

if TYPE_CHECKING:
    from pathlib import Path

    from embassay.monitor.report.figures import DayFigures
    from embassay.monitor.report.made import QualityReport

FEWEST_DAYS = 2
"""Of which a line over time says something."""


def write_page(made: QualityReport, file: Path) -> None:
    """Write the page, which has queries and is for you alone, to `file`. Raises HomeNotWritable."""
    write_whole(file, render(made), private=True)


def render(made: QualityReport) -> str:
    """The page as HTML."""
    values: dict[str, object] = {
        "report": made,
        "from_moment": moment(made.since),
        "to_moment": moment(made.until),
        "share": share,
        "moment": moment,
        "charts": day_charts(made),
        "score_chart": _scores(made),
        "click_chart": _clicks(made),
    }
    return filled("embassay.monitor.report", "page.html", values)


def day_charts(made: QualityReport) -> list[tuple[str, str]]:
    """Each with its heading: figures day by day."""
    if len(made.days) < FEWEST_DAYS:
        return []
    drawn = [("Searches", _over_days(made, "Searches a day", lambda day: float(day.searches), "{:,.0f}".format))]
    drawn.append(("Found nothing", _over_days(made, "Share that found nothing", _empty, "{:.1%}".format)))
    for name, (title, _, _) in made.flagged.items():
        part = lambda day, name=name: day.flagged.get(name, 0) / day.searches  # noqa: E731
        drawn.append((title, _over_days(made, title, part, "{:.1%}".format)))
    drawn.append(("Milliseconds, 95th percentile", _over_days(made, "p95", lambda day: day.p95_ms, "{:,.0f}".format)))
    drawn.append(("Satisfied, of those with feedback", _over_days(made, "Satisfied", _satisfied, "{:.0%}".format)))
    return [(title, chart) for title, chart in drawn if chart]


def _over_days(
    made: QualityReport, label: str, value: Callable[[DayFigures], float | None], shown: Callable[[float], str]
) -> str:
    moments = [Moment(_noon(day.day), value(day)) for day in made.days]
    return over_time(TimeChart(label, moments, shown, begin=made.since, end=made.until, low=0.0))


def _noon(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() + DAY / 2


def _empty(day: DayFigures) -> float:
    return day.nothing_found / day.searches


def _satisfied(day: DayFigures) -> float | None:
    return day.satisfied / day.with_feedback if day.with_feedback else None


def _scores(made: QualityReport) -> str:
    bars = made.histogram
    if not bars.counts:
        return ""
    whole = sum(bars.counts)
    return histogram(SpreadChart("Best raw scores", bars.edges, [count / whole for count in bars.counts]))


def _clicks(made: QualityReport) -> str:
    ranks = made.feedback.ranks
    if not made.feedback.clicked:
        return ""
    parts = [count / made.feedback.clicked for count in ranks]
    edges = [float(at) for at in range(1, RANKS + 3)]
    return histogram(SpreadChart("Rank of the first hit that was opened", edges, parts, shown="{:.0f}".format))
