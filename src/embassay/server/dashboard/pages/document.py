"""One document of a set, as it is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values

if TYPE_CHECKING:
    from embassay.server.call import Call

SHOWN = 200_000
"""Characters that are shown of it."""


class DocumentPageQuery(PageQuery, kw_only=True):
    id: str
    """The document."""


async def show(call: Call) -> Values:
    """Its text and its metadata."""
    name = call.path["name"]
    found = await ask(call, "GET", "/api/v1/embedding-sets/{slug}", parts={"slug": name})
    path = "/api/v1/embedding-sets/{slug}/documents/{id:path}"
    document = await ask(call, "GET", path, parts={"slug": name, "id": call.query.id})
    text = document["text"]
    values = {"one": found, "document": document, "text": text[:SHOWN], "more": max(0, len(text) - SHOWN)}
    return {**values, "title": document["title"] or document["id"]}


PAGE = DashboardPage("sets/{name}/document", "Document", show, query=DocumentPageQuery, section="sets")
