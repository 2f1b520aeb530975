"""Search: what answers a query best in an embedding set, with the score of each arm beside each hit.

Everything but the query has a default: the set that is meant where none is named, both words and vectors, ten hits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from embassay.errors import UsageError
from embassay.search.modes import HYBRID, MODES, TWO_STAGE, two_stage
from embassay.search.modes import pipeline as mode_pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.stages.coarse import DIMENSIONS
from embassay.server.allowed import MOST_CANDIDATES, MOST_HITS, check_pipeline, check_reranker, check_there
from embassay.server.call import Call
from embassay.server.own import failure, meant_set, on_set
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route
from embassay.server.service import RERANKERS
from embassay.types import Metadata

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.search.pipeline import Pipeline

__all__ = ["ROUTES", "failure"]

COARSE_K = 100


class SearchQuery(msgspec.Struct, kw_only=True):
    q: str
    """What is looked for."""
    set: str = ""
    """The slug of a set; by default the one that is meant where none is named."""
    strategy: str = HYBRID
    """`hybrid`, `dense`, `lexical` or `two_stage`; or a whole search, as `dense(50) | lexical(50) >> rrf >> top(5)`."""
    k: Annotated[int, msgspec.Meta(ge=1, le=MOST_HITS)] = 10
    """Hits at most. A whole search says it itself."""
    where: str | None = None
    """A filter, as `lang = "en" and year > 2020`."""
    coarse_dim: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    """With `two_stage`: dimensions of the coarse vectors, 64 by default. A set that has none of so many is searched by
    whole vectors where no number was asked for, with a notice."""
    coarse_k: Annotated[int, msgspec.Meta(ge=1, le=MOST_CANDIDATES)] = COARSE_K
    """With `two_stage`: candidates that whole vectors choose from."""
    rerank: str | None = None
    """The name of a reranker, or `default`, which scores the first candidates anew."""
    group_by: Literal["document", "path"] | None = None
    """One hit of each."""
    context: Annotated[int, msgspec.Meta(ge=0, le=10)] = 0
    """Chunks of text around each hit."""
    explain: bool = False
    """Add the pipeline, and what each of its stages saw and took."""


class SearchRequest(SearchQuery, kw_only=True, forbid_unknown_fields=True):
    sets: list[str] | None = None
    """Several sets, whose spaces are equal, searched together; in the place of `set`."""


class ArmObject(msgspec.Struct):
    rank: int
    score: float


class HitObject(msgspec.Struct, kw_only=True):
    rank: int
    score: float
    """Orders the hits of one search; it is no similarity."""
    set: str
    id: str
    """Of the chunk."""
    document: str
    path: str
    lines: list[int]
    span: list[int]
    section: str
    metadata: Metadata
    text: str
    arms: Mapping[str, ArmObject]
    """Rank and raw score in each arm that found it: a cosine, or BM25."""


class SearchReply(msgspec.Struct, kw_only=True):
    id: str | msgspec.UnsetType = msgspec.UNSET
    """By which feedback refers to it, where searches are logged."""
    query: str
    set: str
    sets: list[str]
    space: str
    space_digest: str
    mode: str
    took_ms: float
    answered: bool | None
    """False where the best hit is no nearer than texts that have nothing to do with the set."""
    hits: list[HitObject]
    notices: list[str]
    """What the reader should know: a query that was cut, an arm that could not run."""


async def by_query(call: Call) -> Mapping[str, object]:
    """What was found."""
    asked: SearchQuery = call.query
    return await _search(call, asked, [asked.set] if asked.set else [])


async def by_body(call: Call) -> Mapping[str, object]:
    """The same, for long queries and filters, and for several sets."""
    asked: SearchRequest = call.body
    if asked.set and asked.sets:
        raise RequestInvalid("set and sets are both said.", place="sets")
    return await _search(call, asked, asked.sets or ([asked.set] if asked.set else []))


async def _search(call: Call, asked: SearchQuery, named: list[str]) -> Mapping[str, object]:
    sets = named or [await call.service.in_worker(meant_set, call.service.home, call.principal)]
    if asked.rerank or "rerank" in asked.strategy:
        call.waits_for = RERANKERS
    with call.service.charged(call, [asked.q]):
        return await on_set(call, sets[0], "read", _found, call, asked, sets[1:])


def _found(of_set: EmbeddingSet, call: Call, asked: SearchQuery, beside: list[str]) -> Mapping[str, object]:
    for name in beside:
        check_there(call, name)
    if asked.rerank:
        check_reranker(call, asked.rerank)
    pipeline, notices = _pipeline(of_set, call, asked)
    call.set = of_set.name
    found = of_set.search(
        asked.q,
        asked.k,
        mode=asked.strategy if pipeline is None else HYBRID,
        pipeline=pipeline,
        where=asked.where or None,
        rerank=asked.rerank or None,
        group_by=asked.group_by,
        context=asked.context,
        beside=beside,
    )
    return replace(found, notices=(*notices, *found.notices)).to_dict(trace=asked.explain)


def _pipeline(of_set: EmbeddingSet, call: Call, asked: SearchQuery) -> tuple[Pipeline | None, list[str]]:
    """A whole search where one was asked for, checked, and what is said of it; None where a mode was."""
    if asked.strategy == TWO_STAGE:
        try:
            of_set.check_coarse(asked.coarse_dim or DIMENSIONS)
        except UsageError as error:
            if asked.coarse_dim is not None:
                raise
            return mode_pipeline("dense", asked.k), [f"Searched by whole vectors alone: {error.message}"]
        return two_stage(asked.k, asked.coarse_dim or DIMENSIONS, asked.coarse_k), []
    if asked.strategy in MODES:
        return None, []
    if asked.strategy.isidentifier():
        raise RequestInvalid(f"strategy {asked.strategy[:40]!r} is not one of {', '.join(MODES)}.", place="strategy")
    chosen = parse_pipeline(asked.strategy)
    check_pipeline(call, chosen)
    return chosen, []


SEARCH = "/api/v1/search"
EXAMPLES = {
    "a question": {"q": "when are keys rotated", "k": 3},
    "with a filter": {"q": "keys", "strategy": "lexical", "where": 'lang = "en"'},
}

ROUTES = (
    Route("GET", SEARCH, by_query, "Search a set", query=SearchQuery, reply=SearchReply),
    Route("POST", SEARCH, by_body, "Search sets", SearchRequest, reply=SearchReply, examples=EXAMPLES),
)
