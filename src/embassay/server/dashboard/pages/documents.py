"""The documents of a set, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values
from embassay.server.dashboard.tried import tried

if TYPE_CHECKING:
    from embassay.server.call import Call

A_PAGE = 50


class DocumentsPageQuery(PageQuery, kw_only=True):
    cursor: str = ""
    glob: str = ""
    where: str = ""


async def show(call: Call) -> Values:
    """A page of them, and where the next one begins."""
    name, asked = call.path["name"], call.query
    found = await ask(call, "GET", "/api/v1/embedding-sets/{slug}", parts={"slug": name})
    query = {"limit": A_PAGE, "cursor": asked.cursor, "glob": asked.glob, "where": asked.where}
    path = "/api/v1/embedding-sets/{slug}/documents"
    result = await tried(ask(call, "GET", path, parts={"slug": name}, query=query))
    listed = result.made or {"data": [], "next": None}
    values = {"one": found, "documents": listed["data"], "next": listed["next"], "asked": asked}
    return {**values, "problem": result.problem, "status": result.status, "title": f"Documents of {found['name']}"}


PAGE = DashboardPage("sets/{name}/documents", "Documents", show, query=DocumentsPageQuery, section="sets")
