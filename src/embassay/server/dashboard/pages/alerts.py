"""Alerts: those that are on, and those that are over; what to do next, and a button for what was no alarm."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import msgspec

from embassay.errors import HomeNotFound, UsageError
from embassay.monitor.monitor import Monitor
from embassay.server.dashboard.page import DashboardPage, Go, PageForm, Values, at
from embassay.server.dashboard.watched import WatchedQuery, steps_of, title_of
from embassay.server.own import on_set, visible_sets
from embassay.server.refusals import NotFound

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.server.call import Call
    from embassay.sets.monitoring.alerts import Alert

PAST = 50
"""Alerts that are over which are shown."""
LONGEST = 500


class DismissForm(msgspec.Struct, kw_only=True):
    alert: int
    why: Annotated[str, msgspec.Meta(max_length=LONGEST)] = ""


class CheckForm(msgspec.Struct, kw_only=True):
    set: str


async def show(call: Call) -> Values:
    """The alerts of all sets that the key sees, or of one."""
    return await call.service.in_worker(_found, call, call.query.set)


async def dismiss(call: Call) -> Go:
    """End an alert that was none. Raises NotFound for one that the key does not see."""
    given: DismissForm = call.body
    whose = await call.service.in_worker(_set_of, call, given.alert)

    def work(of_set: EmbeddingSet) -> None:
        Monitor(call.service.home, of_set.name).dismiss(given.alert, given.why)

    await on_set(call, whose, "write", work)
    return Go(at("alerts"))


async def check(call: Call) -> Go:
    """Read the signals of a set now, as the server does from time to time."""
    given: CheckForm = call.body

    def work(of_set: EmbeddingSet) -> None:
        Monitor(call.service.home, of_set.name).check()

    await on_set(call, given.set, "write", work)
    return Go(at("alerts"))


def _found(call: Call, wanted: str) -> Values:
    home, principal = call.service.home, call.principal
    sets = visible_sets(home, principal)
    if wanted:
        principal.check("read", set=wanted)
    shown = {wanted} if wanted else {*sets}
    try:
        every = home.monitoring.alerts(wanted or None, on=False)
    except HomeNotFound:
        every = []
    mine = [alert for alert in every if alert.set_name in shown]
    on, over = [one for one in mine if one.is_on], [one for one in mine if not one.is_on]
    return {
        "sets": sets,
        "wanted": wanted,
        "on": [_shown(one) for one in on],
        "over": [_shown(one) for one in over[:PAST]],
        "writable": [name for name in sets if principal.may("write", set=name)],
        "now": time.time(),
    }


def _shown(alert: Alert) -> dict[str, object]:
    return {"alert": alert, "title": title_of(alert.signal), "steps": steps_of(alert.remedy)}


def _set_of(call: Call, identity: int) -> str:
    """The set of an alert. Raises NotFound, also for that of a set that the key does not see."""
    with suppress(UsageError, HomeNotFound):
        name = call.service.home.monitoring.alert(identity).set_name
        if call.principal.may("read", set=name):
            return name
    raise NotFound(f"there is no alert {identity}.")


PAGE = DashboardPage(
    "alerts",
    "Alerts",
    show,
    menu=32,
    query=WatchedQuery,
    forms=(
        PageForm("false", dismiss, DismissForm, "write", "Marked as no alarm: its signal tolerates more from now on."),
        PageForm("check", check, CheckForm, "write", "The signals were read."),
    ),
)
