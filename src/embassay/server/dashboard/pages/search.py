"""Search: what is found, and why: the rank and the score in each arm, and what each stage saw, kept and took."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from embassay.errors import EmbassayError
from embassay.ingest.languages import LANGUAGES
from embassay.search.modes import HYBRID, TWO_STAGE
from embassay.search.snippet import highlight, snippet
from embassay.server.allowed import MOST_HITS
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Go, PageForm, PageQuery, Values, at
from embassay.server.dashboard.tried import tried
from embassay.server.own import MOST_A_PAGE
from embassay.words.languages import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embassay.server.call import Call

STRATEGIES = {
    HYBRID: "words and meaning",
    "dense": "meaning alone",
    "lexical": "words alone",
    TWO_STAGE: "coarse vectors first",
}
WIDTH = 420
"""Characters of a hit that are shown at first."""


class SearchPageQuery(PageQuery, kw_only=True):
    q: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    set: str = ""
    strategy: str = HYBRID
    """One of those that are listed."""
    pipeline: str = ""
    """A whole search, in the place of the strategy."""
    k: Annotated[int, msgspec.Meta(ge=1, le=MOST_HITS)] = 10
    rerank: str = ""
    where: str = ""
    group_by: Literal["", "document", "path"] = ""


class FeedbackForm(msgspec.Struct, kw_only=True):
    search: str
    clicked: int | None = None
    thumbs: Literal["up", "down"] | None = None
    about: int | None = None
    """Rank of the hit that the thumb is for."""
    back: str = ""


async def show(call: Call) -> Values:
    """The form, and what was found where something is looked for."""
    asked: SearchPageQuery = call.query
    sets = (await ask(call, "GET", "/api/v1/embedding-sets", query={"limit": MOST_A_PAGE}))["data"]
    values: dict[str, object] = {"asked": asked, "sets": sets, "strategies": STRATEGIES, "found": None, "problem": None}
    values |= {"rerankers": _rerankers(call), "status": 200}
    if not asked.q:
        return values
    wanted = {name: getattr(asked, name) for name in ("q", "set", "k", "rerank", "where", "group_by")}
    wanted |= {"strategy": asked.pipeline or asked.strategy, "explain": True}
    result = await tried(ask(call, "GET", "/api/v1/search", query=wanted))
    values |= {"problem": result.problem, "status": result.status}
    if (found := result.made) is not None:
        languages = {one["slug"]: one["language"] for one in sets}
        hits = await call.service.in_worker(_hits, found, languages)
        values |= {"found": found, "hits": hits, "title": f"Search: {asked.q[:60]}", "judged": _judged(call, found)}
    return values


async def feedback(call: Call) -> Go:
    """Note what came of a search, as programs do."""
    given: FeedbackForm = call.body
    body: dict[str, object] = {"search": given.search, "thumbs": given.thumbs}
    body["clicked"] = [] if given.clicked is None else [given.clicked]
    body["about"] = [] if given.about is None else [given.about]
    await ask(call, "POST", "/api/v1/feedback", body=body)
    return Go(at("search", q=given.back))


def _judged(call: Call, found: Mapping[str, Any]) -> bool:
    """Whether feedback can be given: the search is logged, and the key may write its sets."""
    try:
        logged = call.service.home.query_log.config.queries != "off"
    except EmbassayError:
        return False
    return bool(logged and found.get("id") and all(call.principal.may("write", set=one) for one in found["sets"]))


def _rerankers(call: Call) -> dict[str, str]:
    configured = call.service.session.config.reranking
    return {name: name for name in sorted(configured.models) if call.principal.may("read", model=name)}


def _hits(found: Mapping[str, Any], languages: Mapping[str, str]) -> list[dict[str, object]]:
    return [_hit(hit, found["query"], languages.get(hit["set"], "")) for hit in found["hits"]]


def _hit(hit: Mapping[str, Any], query: str, language: str) -> dict[str, object]:
    code = PurePosixPath(hit["path"]).suffix in LANGUAGES
    shown = snippet(hit["text"], query, WIDTH, language or DEFAULT, code=code)
    pieces = [*highlight(shown, query, language or DEFAULT)]
    return {**hit, "pieces": pieces, "whole": hit["text"] if len(shown) < len(hit["text"].strip()) else ""}


PAGE = DashboardPage(
    "search",
    "Search",
    show,
    menu=10,
    query=SearchPageQuery,
    forms=(PageForm("feedback", feedback, FeedbackForm, "write", "Noted, for this search."),),
)
