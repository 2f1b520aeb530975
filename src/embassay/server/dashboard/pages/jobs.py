"""What is done and was done in the background: migrations, and the runs that wrote sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.errors import HomeNotFound
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.server.call import Call
    from embassay.sets.standing import SetWork

MOST_RUNS = 60


async def show(call: Call) -> Values:
    """The migration that began last of each set, and the newest runs of all."""
    migrations = await ask(call, "GET", "/api/v1/jobs")
    runs = await call.service.in_worker(_runs, call)
    data = sorted(migrations["data"], key=lambda one: -one["updated"])
    return {"migrations": data, "runs": runs, "at_work": any(one.state == "running" for one in runs)}


def _runs(call: Call) -> Sequence[SetWork]:
    try:
        return call.service.home.newest_work(MOST_RUNS, sets=call.principal.sets)
    except HomeNotFound:
        return []


PAGE = DashboardPage("jobs", "Jobs", show, menu=40)
