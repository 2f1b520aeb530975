"""What is done and was done in the background: migrations, and the runs that wrote sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.errors import SetNotFound
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Values
from embassay.server.own import visible_sets

if TYPE_CHECKING:
    from embassay.server.call import Call
    from embassay.sets.standing import SetWork

MOST_SETS, MOST_RUNS = 500, 60


async def show(call: Call) -> Values:
    """The migration that began last of each set, and the newest runs of all."""
    migrations = await ask(call, "GET", "/api/v1/jobs")
    runs = await call.service.in_worker(_runs, call)
    data = sorted(migrations["data"], key=lambda one: -one["updated"])
    return {"migrations": data, "runs": runs, "at_work": any(one.state == "running" for one in runs)}


def _runs(call: Call) -> list[SetWork]:
    home = call.service.home
    found: list[SetWork] = []
    for name in visible_sets(home, call.principal)[:MOST_SETS]:
        try:
            of_set = home.set(name)
            if of_set.describe().view is None:
                found += of_set.work()[:MOST_RUNS]
        except SetNotFound:  # it went just now
            continue
    return sorted(found, key=lambda one: -one.started)[:MOST_RUNS]


PAGE = DashboardPage("jobs", "Jobs", show, menu=40)
