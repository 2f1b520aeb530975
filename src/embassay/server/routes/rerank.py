"""Reranking at the path that Cohere v1, Jina, vLLM and Voyage share: `POST /v1/rerank`.

A request with `top_k` or `truncation` comes from a client of Voyage, and is answered with `data`; all others are
answered with `results`, and with the documents unless `return_documents` is false. `model` names a reranker of the
configuration; by default it is the one that the configuration names.
"""

from __future__ import annotations

import msgspec

from embassay.server.call import Call
from embassay.server.problems import Problem
from embassay.server.ranking import Documents, RankWish, Top, as_results, ranked
from embassay.server.route import Route


class RerankRequest(msgspec.Struct, kw_only=True):
    query: str
    documents: Documents
    model: str | None = None
    top_n: Top | None = None
    """The most that are given; by default, and with 0, all."""
    return_documents: bool | None = None
    max_tokens_per_doc: int | None = None
    """Tokens of a document that are read."""
    max_chunks_per_doc: int | None = None
    """Of older clients of Cohere; read, and not used."""
    top_k: Top | msgspec.UnsetType | None = msgspec.UNSET
    """`top_n` as Voyage says it."""
    truncation: bool | msgspec.UnsetType | None = msgspec.UNSET
    """What is too long is always cut."""


class RankResult(msgspec.Struct, omit_defaults=True):
    index: int
    relevance_score: float
    document: str | dict[str, str] | None = None


class RankUsage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class RankReply(msgspec.Struct, omit_defaults=True):
    object: str
    model: str
    usage: RankUsage
    results: list[RankResult] | None = None
    data: list[RankResult] | None = None
    """`results`, as Voyage calls them."""
    id: str | None = None


async def rerank(call: Call) -> object:
    """How well documents answer a query, best first."""
    asked: RerankRequest = call.body
    is_voyage = asked.top_k is not msgspec.UNSET or asked.truncation is not msgspec.UNSET
    top = asked.top_n if isinstance(asked.top_k, msgspec.UnsetType) else asked.top_k
    made = await ranked(call, asked.model or "", RankWish(asked.query, asked.documents, top, asked.max_tokens_per_doc))
    model = asked.model or call.model
    if not is_voyage:
        return as_results(made, model, documents=asked.return_documents is not False)
    return RankReply(
        "list",
        model,
        RankUsage(made.tokens, made.tokens),
        data=[RankResult(at, score, made.texts[at] if asked.return_documents else None) for at, score in made.rows],
    )


def failure(problem: Problem) -> tuple[int, object]:
    """What each of the four clients reads: `message` (Cohere), `detail` (Jina, Voyage), `error` (vLLM)."""
    words = problem.sentence
    kind = "BadRequestError" if problem.status < 500 else "InternalServerError"
    error = {"message": words, "type": kind, "param": problem.place or None, "code": problem.status}
    return problem.status, {"message": words, "detail": words, "error": error, "code": problem.code}


ROUTES = (
    Route(
        "POST",
        "/v1/rerank",
        rerank,
        "How well documents answer a query",
        body=RerankRequest,
        reply=RankReply,
        examples={
            "two documents": {
                "query": "when are keys rotated",
                "documents": ["Keys are rotated on Mondays.", "Otters sleep afloat."],
            }
        },
    ),
)
