"""The small service that people put around a model: `POST /encode {"texts": [...]}`.

Texts are embedded as documents unless `input_type` says `query`, or begin with a prompt of the model; those above the
token limit are cut.
"""

from __future__ import annotations

from typing import Any

import msgspec

from embassay.server.asking import Wish, embedded
from embassay.server.call import Call
from embassay.server.numbers import as_numbers
from embassay.server.problems import Problem
from embassay.server.route import Route
from embassay.server.texts import listed, not_empty


class EncodeRequest(msgspec.Struct, kw_only=True):
    texts: str | list[str]
    model: str | None = None
    """A name of `/v1/models`; by default the server's default model."""
    input_type: str | None = None
    """`query` or `document`."""


class EncodeReply(msgspec.Struct):
    embeddings: list[list[float]]
    model: str
    dimensions: int
    truncated: list[bool]
    """Whether the model saw only the head of a text."""


async def encode(call: Call) -> object:
    """Vectors of texts."""
    asked: EncodeRequest = call.body
    texts = listed(asked.texts)
    not_empty(texts, "texts")
    made = await embedded(call, asked.model or "", texts, Wish(asked.input_type, "end"))
    return {
        "embeddings": as_numbers(made.vectors),
        "model": asked.model or call.model,
        "dimensions": made.vectors.shape[1],
        "truncated": list(made.truncated),
    }


def failure(problem: Problem) -> tuple[int, Any]:
    """As most such services word it, with the code beside."""
    return problem.status, {"detail": problem.sentence, "code": problem.code}


ROUTES = (
    Route(
        "POST",
        "/encode",
        encode,
        "Vectors of texts",
        body=EncodeRequest,
        reply=EncodeReply,
        examples={"two texts": {"texts": ["Keys are rotated on Mondays.", "Otters sleep afloat."]}},
    ),
)
