"""Documents ranked for a query, as any dialect asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.server.refusals import InputEmpty, RequestInvalid
from embassay.server.texts import heads_of

if TYPE_CHECKING:
    from embassay.server.call import Call


class TextDocument(msgspec.Struct):
    text: str


Documents = list[str | TextDocument]
"""What is ranked, as several dialects send it."""
Top = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class RankWish:
    """What is to be ranked."""

    query: str
    documents: Sequence[str | TextDocument]
    top: int | None = None
    """The most that are given; 0 and None stand for all."""
    most_tokens: int | None = None
    """Of a document, beyond which it is cut."""
    place: str = "documents"
    """Where they stood in the request."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Documents in the order of their scores."""

    rows: Sequence[tuple[int, float]]
    """Position and score, the best first."""
    texts: Sequence[str]
    tokens: int
    """That were read."""
    searches: int
    """As services bill them that bill searches: one for each 100 documents."""


async def ranked(call: Call, name: str, wish: RankWish) -> Ranking:
    """Documents ranked by the reranker `name`. Raises InputEmpty, ModelNotFound, and as `Service.rerank` does."""
    texts = [one if isinstance(one, str) else one.text for one in wish.documents]
    _check(wish.query, texts, wish.place)
    service = call.service
    service.check_count(texts)
    read = texts
    if wish.most_tokens is not None:
        if wish.most_tokens < 1:
            raise RequestInvalid("max_tokens_per_doc must be above 0.", place="max_tokens_per_doc")
        chosen = service.models.find_reranker(name, call.principal)
        reranker = await service.in_worker(service.session.models.rerankers.get, chosen)
        most = wish.most_tokens

        def heads() -> list[str]:
            return heads_of(reranker.tokens or EstimatedTokens(most), texts, most)

        read = await service.in_worker(heads)
    made = await service.rerank(call, name, wish.query, read)
    rows = [(at, float(made.scores[at])) for at in made.order]
    return Ranking(rows[: wish.top] if wish.top else rows, texts, int(made.tokens.sum()), -(-len(texts) // 100))


def as_results(made: Ranking, model: str, *, documents: bool) -> dict[str, object]:
    """What is ranked as Cohere v1, Jina and vLLM answer it."""
    results: list[dict[str, object]] = []
    for at, score in made.rows:
        row: dict[str, object] = {"index": at, "relevance_score": score}
        if documents:
            row["document"] = {"text": made.texts[at]}
        results.append(row)
    return {
        "id": f"rerank-{secrets.token_hex(8)}",
        "object": "list",
        "model": model,
        "results": results,
        "usage": {"prompt_tokens": made.tokens, "total_tokens": made.tokens},
        "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": made.searches}},
    }


def _check(query: str, texts: Sequence[str], place: str) -> None:
    if not query.strip():
        raise InputEmpty("query is empty.", place="query")
    if not texts:
        raise InputEmpty(f"{place} is empty: there is nothing to rank.", place=place)
    for at, text in enumerate(texts):
        if not text:
            raise InputEmpty(f"{place}[{at}] is empty.", place=f"{place}[{at}]")
