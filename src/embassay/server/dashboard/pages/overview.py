"""The first page: whether all is well, what is here, and what is to be done next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.errors import HomeNotFound
from embassay.monitor.base import WORST_FIRST
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Values
from embassay.server.dashboard.watched import steps_of, title_of

if TYPE_CHECKING:
    from embassay.server.call import Call
    from embassay.sets.monitoring.alerts import Alert
    from embassay.sets.monitoring.readings import ReadingRow

SHOWN = 5
"""Alerts that are told of here; the others are on their page."""


async def show(call: Call) -> Values:
    """The sets that the key sees, how they are, and their alerts."""
    sets = (await ask(call, "GET", "/api/v1/embedding-sets"))["data"]
    names = {one["slug"] for one in sets}
    alerts, latest = await call.service.in_worker(_watched, call)
    mine = [alert for alert in alerts if call.principal.may("read", set=alert.set_name)]
    states = {name: _state([row for row in latest if row.set_name == name]) for name in names}
    states |= {alert.set_name: "alert" for alert in mine}
    return {
        "sets": sets,
        "states": states,
        "alerts": [
            {"alert": one, "title": title_of(one.signal), "steps": steps_of(one.remedy)[:1]} for one in mine[:SHOWN]
        ],
        "more": max(0, len(mine) - SHOWN),
        "watched": bool(latest),
    }


def _watched(call: Call) -> tuple[Sequence[Alert], Sequence[ReadingRow]]:
    try:
        tables = call.service.home.monitoring
        return tables.alerts(), tables.latest()
    except HomeNotFound:
        return [], []


def _state(rows: Sequence[ReadingRow]) -> str:
    """The worst that a signal of a set says."""
    found = {row.state for row in rows}
    return next((state for state in WORST_FIRST if state in found), "unknown")


PAGE = DashboardPage("", "Overview", show, menu=0)
