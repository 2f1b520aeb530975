"""The registry of models: `POST /v1/embeddings/generate` says which model has answered, and in which space.

With `use_fallback` the models of the configured `fallback_chain` stand in for one that fails, those of other spaces,
too: vectors of two spaces must not be compared, so the answer names the space. Without it, the model that was asked for
answers, or nobody does. A text is embedded as a document unless `input_type` says `query`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.server.asking import Wish, embedded
from embassay.server.call import Call
from embassay.server.numbers import as_numbers
from embassay.server.problems import Problem
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route
from embassay.server.texts import listed, not_empty, role_of

if TYPE_CHECKING:
    from embassay.types import Embeddings


class GenerateRequest(msgspec.Struct, kw_only=True):
    text: str | list[str]
    model: str | None = None
    """A name of `/v1/models`; by default the first of the fallback chain where that is used, else the default model."""
    use_fallback: bool | None = None
    """Whether another model may answer where this one fails. Default: it may not."""
    input_type: str | None = None
    """`query` or `document`; default: `document`."""


class SpaceObject(msgspec.Struct):
    """Vectors may be compared where the digests of their spaces are equal."""

    name: str
    digest: str
    dimensions: int
    model: str


class GenerateReply(msgspec.Struct):
    embedding: list[float]
    """The vector of the first text."""
    embeddings: list[list[float]]
    """Those of all texts."""
    model: str
    """Which model has answered."""
    requested_model: str
    fallback_used: bool
    """Whether that is another one than was asked for."""
    space: SpaceObject
    dimensions: int
    truncated: list[bool]


async def generate(call: Call) -> object:
    """Vectors of texts, and who made them."""
    asked: GenerateRequest = call.body
    texts = listed(asked.text)
    not_empty(texts, "text")
    if asked.use_fallback:
        made, requested, answered = await _by_chain(call, asked, texts)
    else:
        made = await embedded(call, asked.model or "", texts, Wish(asked.input_type, "end"))
        requested = answered = call.model
    space = made.space
    return {
        "embedding": as_numbers(made.vectors[0]),
        "embeddings": as_numbers(made.vectors),
        "model": answered,
        "requested_model": requested,
        "fallback_used": answered != requested,
        "space": SpaceObject(str(space), space.digest, space.dimensions, space.model),
        "dimensions": made.vectors.shape[1],
        "truncated": list(made.truncated),
    }


async def _by_chain(call: Call, asked: GenerateRequest, texts: Sequence[str]) -> tuple[Embeddings, str, str]:
    """Vectors by the first model of the chain that gives some, which model was wanted, and which has answered.

    Raises RequestInvalid where no model may stand in, AllFailed, and as `Service.embed` does.
    """
    service = call.service
    service.check_count(texts)
    role = role_of(asked.input_type, "document", "input_type")
    names = await service.in_worker(service.models.chain, asked.model or "", call.principal)
    if not names or (asked.model and names == [names[0]]):
        raise RequestInvalid(
            "no model may stand in for another one here.",
            place="use_fallback",
            remedy=remedy.setting("embeddings", "{fallback_chain: [a, b]}", say="Who runs the server sets {}."),
        )
    call.model = names[0]
    chain = service.session.models.chain(names)
    made = await service.embed_through(call, chain, texts, role)
    call.model = made.model
    return made, names[0], made.model


def failure(problem: Problem) -> tuple[int, object]:
    """The code, the words and the remedy."""
    error = {"code": problem.code, "message": problem.message, "remedy": problem.remedy, "place": problem.place}
    return problem.status, {"error": error}


ROUTES = (
    Route(
        "POST",
        "/v1/embeddings/generate",
        generate,
        "Vectors of texts, and which model has made them",
        body=GenerateRequest,
        reply=GenerateReply,
        examples={
            "one text": {"text": "Keys are rotated on Mondays.", "model": "minilm"},
            "by whichever model answers": {"text": "Keys are rotated on Mondays.", "use_fallback": True},
        },
    ),
)
