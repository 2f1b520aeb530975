"""OpenAI: `/v1/embeddings` and `/v1/models`, with the extra fields that Voyage, Jina and Mistral send there.

Texts are embedded as documents unless `input_type` (or Jina's `task`) says `query`: models that put another prompt
before queries find better where it is said. Where neither says anything, a text that begins with a prompt of the model,
as clients of servers that know no roles have to write it, is embedded in that role.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from embassay.server.asking import Cut, Dimensions, Wish, embedded
from embassay.server.call import Call
from embassay.server.numbers import Dtype, as_base64, as_dtype, as_numbers
from embassay.server.problems import Problem
from embassay.server.route import Route
from embassay.server.texts import not_empty, text_of_ids


class TextInput(msgspec.Struct):
    """A text as Jina's clients may send it."""

    text: str


class EmbeddingRequest(msgspec.Struct, kw_only=True):
    input: str | list[str | int | list[int] | TextInput]
    """One text or several. Token ids are taken where they are framed by the special tokens of the model's own
    tokenizer, as `/tokenize` gives them; those of another tokenizer mean nothing to it, and are refused."""
    model: str | None = None
    """A name of `/v1/models`; by default the server's default model."""
    dimensions: Dimensions | None = None
    """Fewer than the model has, where it was trained to be cut."""
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
    """Read, and not used."""
    input_type: str | None = None
    """`query` or `document`, or a task for which the model's card has a prompt; default: `document`."""
    task: str | None = None
    """The same, as Jina says it: `retrieval.query` or `retrieval.passage`."""
    output_dimension: Dimensions | None = None
    """`dimensions`, as Voyage and Mistral say it."""
    output_dtype: Dtype | None = None
    """Numbers of fewer bits, as Voyage and Mistral say it."""
    embedding_type: Literal["float", "base64", "binary", "ubinary"] | None = None
    """`output_dtype` and `encoding_format` in one, as Jina says it."""
    late_chunking: Literal[False] | None = None
    """Refused: each text is a text by itself."""
    truncation: bool | None = None
    """Whether a text above the token limit is cut, as Voyage says it; otherwise it is refused. Default: refused."""
    truncate: bool | None = None
    """The same, as Jina says it."""


class EmbeddingObject(msgspec.Struct):
    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class EmbeddingReply(msgspec.Struct):
    object: Literal["list"]
    data: list[EmbeddingObject]
    model: str
    usage: EmbeddingUsage


class ModelObject(msgspec.Struct):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(msgspec.Struct):
    object: Literal["list"]
    data: list[ModelObject]


async def embeddings(call: Call) -> object:
    """Vectors of texts."""
    asked: EmbeddingRequest = call.body
    name = call.path.get("deployment") or asked.model or ""
    cut = asked.truncation if asked.truncation is not None else asked.truncate
    texts = await _texts(call, name, asked.input)
    dimensions = asked.dimensions or asked.output_dimension
    side: Cut = "end" if cut else "none"
    wish = Wish(asked.input_type or asked.task, side, dimensions, mend=("truncation", True))
    made = await embedded(call, name, texts, wish)
    tokens = sum(made.tokens)
    packs = "base64" in (asked.encoding_format, asked.embedding_type)
    write = as_base64 if packs else as_numbers
    kind = asked.output_dtype or (None if asked.embedding_type == "base64" else asked.embedding_type) or "float"
    rows = as_dtype(made.vectors, kind)
    data = [{"object": "embedding", "index": at, "embedding": write(row)} for at, row in enumerate(rows)]
    return {
        "object": "list",
        "data": data,
        "model": name or call.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


async def models(call: Call) -> ModelList:
    """The models that the key may use."""
    names = await call.service.in_worker(call.service.models.names, call.principal)
    return ModelList("list", [_model(call, name) for name in names])


async def model(call: Call) -> ModelObject:
    """One of them."""
    name = await call.service.in_worker(call.service.models.find, call.path["model"], call.principal)
    return _model(call, name)


def _model(call: Call, name: str) -> ModelObject:
    return ModelObject(name, "model", int(call.service.started), "embassay")


async def _texts(call: Call, model: str, given: str | Sequence[str | int | list[int] | TextInput]) -> Sequence[str]:
    """Raises RequestInvalid for what is empty, for texts among token ids, and for ids of another tokenizer."""
    if isinstance(given, str):
        given = [given]
    given = [one.text if isinstance(one, TextInput) else one for one in given]
    if all(isinstance(text, str) for text in given):
        texts = cast(Sequence[str], given)
        not_empty(texts, "input")
        return texts
    rows = [given] if all(isinstance(text, int) for text in given) else given
    embedder = await call.service.embedder(call, model)
    tokens = embedder.tokens
    return [await call.service.in_worker(text_of_ids, tokens, row, f"input[{at}]") for at, row in enumerate(rows)]


KINDS = {
    401: "invalid_request_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}
CODES = {"model_not_found": "model_not_found", "key_refused": "invalid_api_key", "limit_reached": "rate_limit_exceeded"}


def failure(problem: Problem) -> tuple[int, object]:
    """OpenAI's envelope, in which all four keys are always there; `detail` is for the clients of Voyage and Jina."""
    kind = KINDS.get(problem.status, "invalid_request_error" if problem.status < 500 else "server_error")
    error = {
        "message": problem.sentence,
        "type": kind,
        "param": problem.place or None,
        "code": CODES.get(problem.code, problem.code),
    }
    return problem.status, {"error": error, "detail": problem.sentence}


ROUTES = (
    Route(
        "POST",
        "/v1/embeddings",
        embeddings,
        "Vectors of texts",
        body=EmbeddingRequest,
        reply=EmbeddingReply,
        examples={
            "two documents": {"model": "minilm", "input": ["Keys are rotated on Mondays.", "Otters sleep afloat."]},
            "a query": {"model": "minilm", "input": "when are keys rotated", "input_type": "query"},
        },
    ),
    Route(
        "POST",
        "/embeddings",
        embeddings,
        "Vectors of texts, at the path of servers without versions",
        body=EmbeddingRequest,
        reply=EmbeddingReply,
        examples={"a text": {"model": "minilm", "input": "Otters sleep afloat."}},
    ),
    Route(
        "POST",
        "/openai/deployments/{deployment}/embeddings",
        embeddings,
        "Vectors of texts as Azure gives them, where a deployment is a model",
        body=EmbeddingRequest,
        reply=EmbeddingReply,
        examples={"a text": {"input": "Otters sleep afloat."}},
    ),
    Route("GET", "/v1/models", models, "The models that are served", reply=ModelList),
    Route("GET", "/v1/models/{model:path}", model, "One of the models", reply=ModelObject),
)
