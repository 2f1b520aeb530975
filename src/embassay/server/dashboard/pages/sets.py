"""The sets that the key sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values

if TYPE_CHECKING:
    from embassay.server.call import Call

A_PAGE = 50


class SetsQuery(PageQuery, kw_only=True):
    after: str = ""
    """The set behind which the page begins."""


async def show(call: Call) -> Values:
    """A page of them."""
    found = await ask(call, "GET", "/api/v1/embedding-sets", query={"limit": A_PAGE, "after": call.query.after})
    return {"sets": found["data"], "next": found["next"], "after": call.query.after}


PAGE = DashboardPage("sets", "Sets", show, menu=20, query=SetsQuery)
