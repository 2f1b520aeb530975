"""The first page: what is here, and what is to be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Values

if TYPE_CHECKING:
    from embassay.server.call import Call


async def show(call: Call) -> Values:
    """The sets that the key sees."""
    sets = await ask(call, "GET", "/api/v1/embedding-sets")
    return {"sets": sets["data"]}


PAGE = DashboardPage("", "Overview", show, menu=0)
