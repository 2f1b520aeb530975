"""Cohere: `/v2/embed`, `/v1/embed` and `/v2/rerank`.

`input_type` says the role: `search_query` or `search_document`. `classification` and `clustering` are taken for models
whose cards have a prompt for them. Texts above the token limit are cut at their end unless `truncate` says otherwise.
Images are refused. `model` is a name of `/v1/models`, or of a reranker of the configuration.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from embassay.server.asking import Cut, Dimensions, Wish, embedded
from embassay.server.call import Call
from embassay.server.numbers import as_base64, as_dtype, as_numbers
from embassay.server.problems import Problem
from embassay.server.ranking import Documents, RankWish, Top, ranked
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route
from embassay.server.texts import heads_of, not_empty
from embassay.types import Embeddings

CUTS: dict[str, Cut] = {"NONE": "none", "START": "start", "END": "end"}
TWO_ROLES = "Say search_query for what is searched with, and search_document for what is searched."
Kind = Literal["float", "int8", "uint8", "binary", "ubinary", "base64"]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class CohereContent(msgspec.Struct):
    type: str
    text: str | None = None


class CohereInput(msgspec.Struct):
    content: list[CohereContent]


class CohereEmbedRequest(msgspec.Struct, kw_only=True):
    model: str | None = None
    texts: list[str] | None = None
    inputs: list[CohereInput] | None = None
    """The same, each with its content in parts, of which there may be texts only."""
    images: list[str] | None = None
    """Refused: no model that is served reads images."""
    input_type: str | None = None
    """`search_query` or `search_document`, or a task for which the model's card has a prompt. Required in v2."""
    embedding_types: list[Kind] | None = None
    output_dimension: Dimensions | None = None
    max_tokens: Positive | None = None
    """Tokens of a text that are read."""
    truncate: Literal["NONE", "START", "END"] | None = None
    """Which side of a text above the limit is cut; `NONE`: it is refused."""
    priority: int | None = None
    """Read, and not used."""


class CohereRerankRequest(msgspec.Struct, kw_only=True):
    query: str
    documents: Documents
    model: str | None = None
    top_n: Top | None = None
    max_tokens_per_doc: int | None = None
    priority: int | None = None


class CohereResult(msgspec.Struct):
    index: int
    relevance_score: float


class CohereVersion(msgspec.Struct):
    version: str


class CohereUnits(msgspec.Struct, omit_defaults=True):
    input_tokens: int | None = None
    search_units: int | None = None


class CohereMeta(msgspec.Struct):
    api_version: CohereVersion
    billed_units: CohereUnits
    warnings: list[str] = []


class CohereRerankReply(msgspec.Struct):
    id: str
    results: list[CohereResult]
    meta: CohereMeta


class CohereEmbedReply(msgspec.Struct):
    id: str
    response_type: str
    embeddings: dict[str, list[list[float] | str]] | list[list[float]]
    texts: list[str]
    meta: CohereMeta


async def embed(call: Call) -> object:
    """Vectors of texts, in as many types as are asked for."""
    asked: CohereEmbedRequest = call.body
    if asked.input_type is None:
        raise RequestInvalid("input_type is missing.", place="input_type", remedy=TWO_ROLES)
    texts, made = await _embedded(call, asked)
    kinds: Sequence[Kind] = asked.embedding_types or ("float",)
    return _reply("2", "embeddings_by_type", _by_type(made, kinds), texts, made)


async def embed_v1(call: Call) -> object:
    """The same as older clients ask for it: without `embedding_types` the vectors are a plain list."""
    asked: CohereEmbedRequest = call.body
    texts, made = await _embedded(call, asked)
    if asked.embedding_types:
        return _reply("1", "embeddings_by_type", _by_type(made, asked.embedding_types), texts, made)
    return _reply("1", "embeddings_floats", as_numbers(made.vectors), texts, made)


async def rerank(call: Call) -> CohereRerankReply:
    """How well documents answer a query, best first."""
    asked: CohereRerankRequest = call.body
    wish = RankWish(asked.query, asked.documents, asked.top_n, asked.max_tokens_per_doc)
    made = await ranked(call, asked.model or "", wish)
    results = [CohereResult(at, score) for at, score in made.rows]
    meta = CohereMeta(CohereVersion("2"), CohereUnits(search_units=made.searches))
    return CohereRerankReply(secrets.token_hex(16), results, meta)


async def _embedded(call: Call, asked: CohereEmbedRequest) -> tuple[Sequence[str], Embeddings]:
    texts = _texts(asked)
    read = texts
    if asked.max_tokens is not None:
        embedder = await call.service.embedder(call, asked.model or "")
        side = asked.truncate or "END"
        if side != "END":
            raise RequestInvalid("max_tokens cuts texts at their end alone.", place="truncate")
        read = await call.service.in_worker(heads_of, embedder.tokens, texts, asked.max_tokens)
    wish = Wish(asked.input_type, CUTS[asked.truncate or "END"], asked.output_dimension, mend=("truncate", "END"))
    return texts, await embedded(call, asked.model or "", read, wish)


def _texts(asked: CohereEmbedRequest) -> list[str]:
    """Raises InputEmpty, and RequestInvalid for images and for none or several of the three ways to send something."""
    if asked.images or any(part.type != "text" for one in asked.inputs or () for part in one.content):
        raise RequestInvalid("no model that is served reads images.", place="images" if asked.images else "inputs")
    if (asked.texts is None) == (asked.inputs is None):
        raise RequestInvalid("the body must have either texts or inputs.", place="texts")
    if asked.texts is not None:
        not_empty(asked.texts, "texts")
        return asked.texts
    texts = ["\n".join(part.text or "" for part in one.content) for one in asked.inputs or ()]
    not_empty(texts, "inputs")
    return texts


def _by_type(made: Embeddings, kinds: Sequence[Kind]) -> dict[str, object]:
    rows: dict[str, object] = {}
    for kind in dict.fromkeys(kinds):
        if kind == "base64":
            rows[kind] = [as_base64(row) for row in made.vectors]
        else:
            rows[kind] = as_numbers(as_dtype(made.vectors, kind))
    return rows


def _reply(version: str, kind: str, vectors: object, texts: Sequence[str], made: Embeddings) -> dict[str, object]:
    meta = CohereMeta(CohereVersion(version), CohereUnits(input_tokens=sum(made.tokens)))
    return {
        "id": secrets.token_hex(16),
        "response_type": kind,
        "embeddings": vectors,
        "texts": texts,
        "meta": meta,
    }


def failure(problem: Problem) -> tuple[int, object]:
    """Cohere's envelope, with the code beside."""
    return problem.status, {"id": secrets.token_hex(16), "message": problem.sentence, "code": problem.code}


TWO = ["Keys are rotated on Mondays.", "Otters sleep afloat."]
EMBED = {"texts": TWO, "input_type": "search_document", "embedding_types": ["float", "int8"]}
ROUTES = (
    Route(
        "POST",
        "/v2/embed",
        embed,
        "Vectors of texts",
        body=CohereEmbedRequest,
        reply=CohereEmbedReply,
        examples={"two documents": EMBED},
    ),
    Route(
        "POST",
        "/v1/embed",
        embed_v1,
        "Vectors of texts, as a plain list",
        body=CohereEmbedRequest,
        reply=CohereEmbedReply,
        examples={"two documents": {"texts": TWO, "input_type": "search_document"}},
    ),
    Route(
        "POST",
        "/v2/rerank",
        rerank,
        "How well documents answer a query",
        body=CohereRerankRequest,
        reply=CohereRerankReply,
        examples={"two documents": {"query": "when are keys rotated", "documents": TWO}},
    ),
)
