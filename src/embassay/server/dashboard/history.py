"""What signals said over time, as charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup

from embassay import plugins
from embassay.errors import PluginError
from embassay.evaluate.report.series import Moment, TimeChart, over_time
from embassay.monitor.base import SIGNALS, WORST_FIRST
from embassay.server.dashboard.watched import steps_of, title_of
from embassay.text import share

if TYPE_CHECKING:
    from embassay.server.dashboard.page import Values
    from embassay.sets.monitoring.readings import ReadingRow

USUAL = "usual"
"""The figure of a reading that its value is held against, where it has one."""
SHOWN: Mapping[str, Callable[[float], str]] = {
    "share": share,
    "ms": lambda value: f"{value:,.0f} ms",
    "": lambda value: f"{value:.3g}",
}


def signal_charts(rows: Sequence[ReadingRow], begin: float, end: float) -> list[Values]:
    """A chart for each signal and subject, with what it said last: those that are unwell first."""
    made = [_chart([*group], begin, end) for group in _each(rows)]
    return sorted(made, key=lambda one: WORST_FIRST.index(one["state"]))


def figure_chart(rows: Sequence[ReadingRow], label: str, begin: float, end: float, name: str = "") -> Markup:
    """How one figure of a signal went, or its value without a name."""
    moments = [Moment(row.at, row.figures.get(name) if name else row.value, row.state) for row in rows]
    return Markup(over_time(TimeChart(label, moments, SHOWN[""], begin=begin, end=end)))


def shown_by(signal: str) -> Callable[[float], str]:
    """How the values of a signal are written: it may say in ``UNIT`` that they are a ``share``, or ``ms``."""
    try:
        unit = getattr(plugins.load(SIGNALS, signal), "UNIT", "")
    except PluginError:
        unit = ""
    return SHOWN.get(unit, SHOWN[""])


def _each(rows: Sequence[ReadingRow]) -> list[list[ReadingRow]]:
    def key(row: ReadingRow) -> tuple[str, str]:
        return row.signal, row.subject

    return [[*group] for _, group in groupby(sorted(rows, key=key), key)]


def _chart(rows: Sequence[ReadingRow], begin: float, end: float) -> Values:
    newest = rows[-1]
    title = title_of(newest.signal) + (f" ({newest.subject})" if newest.subject else "")
    shown = shown_by(newest.signal)
    usual = newest.figures.get(USUAL)
    bounds = {} if usual is None else {USUAL: usual}
    moments = [Moment(row.at, row.value, row.state) for row in rows]
    chart = TimeChart(title, moments, shown, bounds, begin=begin, end=end)
    return {
        "title": title,
        "state": newest.state,
        "value": None if newest.value is None else shown(newest.value),
        "usual": None if usual is None else shown(usual),
        "evidence": newest.evidence,
        "steps": steps_of(newest.remedy),
        "at": newest.at,
        "chart": Markup(over_time(chart)),
        "readings": len(rows),
    }
