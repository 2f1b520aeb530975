"""Advice: which models to try first for what is asked of them, with the reason for each pick and each exclusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from embassay.catalog.advice import FINE_TUNING
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values
from embassay.server.dashboard.tried import tried

if TYPE_CHECKING:
    from embassay.server.call import Call

EXCLUDED = 60


class AdvicePageQuery(PageQuery, kw_only=True):
    """As `/api/v1/models/recommend` takes it; there it is checked."""

    asked: bool = False
    language: str = ""
    domain: str = ""
    privacy: bool = False
    hosted: bool = False
    commercial: bool = False
    gpu: bool = False
    max_mb: str = ""
    max_latency_ms: str = ""
    max_storage_gb: str = ""
    max_usd: str = ""
    min_tokens: str = ""
    rerank: str = ""


async def show(call: Call) -> Values:
    """The form, and the advice where it was asked for."""
    query: AdvicePageQuery = call.query
    domains = {name: name for name in sorted(filter(None, FINE_TUNING))}
    values: dict[str, object] = {"asked": query, "domains": domains, "found": None, "problem": None, "most": EXCLUDED}
    if query.asked:
        said = {name: value for name, value in msgspec.structs.asdict(query).items() if name not in ("asked", "done")}
        result = await tried(ask(call, "GET", "/api/v1/models/recommend", query=said))
        values |= {"found": result.made, "problem": result.problem, "status": result.status}
    return values


PAGE = DashboardPage("advice", "Advice", show, menu=52, query=AdvicePageQuery)
