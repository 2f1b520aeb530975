"""One set: what it holds, its generations, what happened to it, and where it can be moved."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values
from embassay.server.own import on_set
from embassay.server.problems import worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embassay.embedding_set import EmbeddingSet
    from embassay.server.call import Call

HAPPENED = 30
"""Rows of the history that are shown."""
PROBLEMS = 20
"""Files that could not be read, which are named."""


class SetPageQuery(PageQuery, kw_only=True):
    doctor: bool = False
    """Whether it is examined, which reads all of its rows."""


async def show(call: Call) -> Values:
    """All but the documents themselves."""
    name = call.path["name"]
    found = await ask(call, "GET", "/api/v1/embedding-sets/{slug}", parts={"slug": name})
    more = await on_set(call, name, "read", _more)
    jobs = await ask(call, "GET", "/api/v1/jobs", query={"set": name})
    findings = await on_set(call, name, "read", _examined) if call.query.doctor else None
    title = f"Set {found['name']}"
    return {"title": title, "one": found, "jobs": jobs["data"], "findings": findings, **more}


def _more(of_set: EmbeddingSet) -> dict[str, Any]:
    coverage = of_set.coverage()
    return {
        "generations": of_set.generations(),
        "history": [(one, _figures(one.detail)) for one in of_set.history(HAPPENED)],
        "unread": coverage.quarantined[:PROBLEMS],
        "unread_more": max(0, len(coverage.quarantined) - PROBLEMS),
    }


def _figures(detail: Mapping[str, Any]) -> str:
    """The figures of a row of the history that say something, in one line."""
    plain = (
        f"{name.replace('_', ' ')} {_figure(value)}" for name, value in detail.items() if name != "until" and value
    )
    return ", ".join(plain)[:300]


def _figure(value: object) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _examined(of_set: EmbeddingSet) -> list[dict[str, Any]]:
    return [{**asdict(one), "remedy": worded(one.remedy)} for one in of_set.doctor()]


PAGE = DashboardPage("sets/{name}", "Set", show, query=SetPageQuery, section="sets")
