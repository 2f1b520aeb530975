"""How the commands of monitoring print readings and alerts."""

from __future__ import annotations

import time
from textwrap import shorten
from typing import TYPE_CHECKING

from embassay.cli import common, words
from embassay.cli.tables import indented, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from embassay.monitor.alerts import CheckedSet
    from embassay.monitor.base import NamedReading
    from embassay.sets.monitoring.alerts import Alert

COLOURS = {"ok": "green", "warn": "yellow", "alert": "bold red", "unknown": "dim", "on": "bold red"}
WIDTH = 9
"""Columns of the state in front of what was read."""
SHOWN = 100
"""Characters of a query that is an example."""


def show_check(found: CheckedSet) -> None:
    """What was read of one set, and which alerts are on."""
    out = common.console()
    out.print(line((found.set, "bold")))
    show_readings(found.readings, found.alerts, found.at)
    for change in found.changes:
        if change.event == "ended":
            said = f"alert {change.alert.id} ({change.alert.signal}) has ended: {change.alert.reason}"
            out.print(indented(line((said, "green")), WIDTH))


def show_readings(readings: Sequence[NamedReading], alerts: Sequence[Alert], now: float) -> None:
    """What signals say, and the alerts that are on, each below what it is about."""
    from embassay.monitor.base import WORST_FIRST

    out, on = common.console(), {(one.signal, one.subject): one for one in alerts}
    for one in sorted(readings, key=lambda one: WORST_FIRST.index(one.reading.state)):
        reading = one.reading
        about = f" ({reading.subject})" if reading.subject else ""
        _paragraph(reading.state, f"{one.title}{about}: {reading.evidence}")
        for text in one.examples:
            out.print(indented(line((f"such as {shorten(text, SHOWN)}", "dim")), WIDTH))
        alert = on.pop((one.signal, reading.subject), None)
        if alert is not None:
            passed = now - alert.since
            since = f"for {words.duration(passed)}" if passed > 0 else "new"
            kept = (
                "" if reading.state in ("warn", "alert") else "; it ends once the signal was ok in two checks in a row"
            )
            out.print(indented(line((f"alert {alert.id}, {since}{kept}", "dim")), WIDTH))
        _next(reading.remedy.in_shell())
    for alert in on.values():
        show_alert(alert, now)


def show_alert(alert: Alert, now: float | None = None, *, of_set: bool = False) -> None:
    """One alert: what it is about, since when, and the next step."""
    out = common.console()
    about = " ".join(part for part in (alert.set_name if of_set else "", alert.signal, alert.subject) if part)
    _paragraph("alert" if alert.is_on else alert.state, f"{about}: {alert.evidence}")
    passed = words.duration(max(0.0, (time.time() if now is None else now) - alert.since))
    ended = "" if alert.is_on else f"; ended: {alert.reason}"
    out.print(indented(line((f"alert {alert.id}, since {passed} ago{ended}", "dim")), WIDTH))
    if alert.is_on:
        _next(alert.remedy.in_shell())


def _paragraph(state: str, said: str) -> None:
    out = common.console()
    name: Text = line((state, COLOURS.get(state, "dim")))
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False, padding=0)
    made.add_column(width=WIDTH, no_wrap=True)
    made.add_column(overflow="fold")
    made.add_row(name, line(said))
    out.print(made)


def _next(step: str) -> None:
    if step:
        common.console().print(indented(line(step), WIDTH))
