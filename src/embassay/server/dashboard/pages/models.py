"""Models: those that are served, which of them are loaded, and what the catalog knows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from embassay.models.reference import parse_reference
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values
from embassay.server.own import MOST_A_PAGE

if TYPE_CHECKING:
    from embassay.server.call import Call

MOST_CARDS = 40


class ModelsPageQuery(PageQuery, kw_only=True):
    q: str = ""
    """A part of the name of a model in the catalog."""


async def show(call: Call) -> Values:
    """The models that the key may use, and some of the catalog."""
    configs = (await ask(call, "GET", "/api/v1/embedding-configs"))["data"]
    sets = (await ask(call, "GET", "/api/v1/embedding-sets", query={"limit": MOST_A_PAGE}))["data"]
    used = defaultdict(list)
    for one in sets:
        used[one["embedding_config_id"]].append(one["slug"])
    loaded = {parse_reference(name).base: embedder.precision for name, embedder in call.service.models.loaded()}
    cards, count = _cards(call, call.query.q)
    values: dict[str, Any] = {"configs": configs, "used": used, "loaded": loaded, "cards": cards, "count": count}
    reranking = call.service.session.config.reranking.models
    values["rerankers"] = sorted(name for name in reranking if call.principal.may("read", model=name))
    return {**values, "asked": call.query}


def _cards(call: Call, part: str) -> tuple[list[Any], int]:
    every = call.service.session.models.catalog.models.values()
    found = [card for card in every if part.lower() in f"{card.id} {' '.join(card.aliases)} {card.family}".lower()]
    found.sort(key=lambda card: (-(card.retrieval or 0.0), card.id))
    return found[:MOST_CARDS], len(found)


PAGE = DashboardPage("models", "Models", show, menu=50, query=ModelsPageQuery)
