"""vLLM: `/score` and `/v1/score`, which score texts of one list with those of another by a reranker.

Its `/v1/embeddings` are those of OpenAI, its `/rerank`, `/v1/rerank` and `/v2/rerank` those of TEI, Jina and Cohere.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

import msgspec

from embassay.server.call import Call
from embassay.server.problems import Problem
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route
from embassay.server.texts import listed, not_empty


class ScoreRequest(msgspec.Struct, kw_only=True):
    text_1: str | list[str]
    """One text, which is scored with each of `text_2`; or as many as there are there, for pairs."""
    text_2: str | list[str]
    model: str | None = None
    """A reranker of the configuration; by default the one that it names as the default."""


class ScoreObject(msgspec.Struct):
    index: int
    object: str
    score: float


class ScoreUsage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int
    completion_tokens: int


class ScoreReply(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    data: list[ScoreObject]
    usage: ScoreUsage


async def score(call: Call) -> ScoreReply:
    """A score for each pair of texts."""
    asked: ScoreRequest = call.body
    firsts, seconds = listed(asked.text_1), listed(asked.text_2)
    not_empty(firsts, "text_1")
    not_empty(seconds, "text_2")
    if len(firsts) not in (1, len(seconds)):
        raise RequestInvalid(
            f"text_1 has {len(firsts)} texts and text_2 {len(seconds)}: it must be one, or as many.", place="text_1"
        )
    firsts = list(firsts) * (len(seconds) // len(firsts))
    call.service.check_count(seconds)
    scores, tokens = await _scores(call, asked.model or "", firsts, seconds)
    data = [ScoreObject(at, "score", one) for at, one in enumerate(scores)]
    usage = ScoreUsage(tokens, tokens, 0)
    return ScoreReply(f"score-{secrets.token_hex(8)}", "list", int(time.time()), asked.model or call.model, data, usage)


async def _scores(call: Call, name: str, firsts: Sequence[str], seconds: Sequence[str]) -> tuple[list[float], int]:
    """Scores of pairs: those of one first text are asked for together. And how many tokens were read."""
    places: dict[str, list[int]] = {}
    for at, first in enumerate(firsts):
        places.setdefault(first, []).append(at)
    scores, tokens = [0.0] * len(firsts), 0
    for query, own in places.items():
        made = await call.service.rerank(call, name, query, [seconds[at] for at in own])
        tokens += int(made.tokens.sum())
        for at, one in zip(own, made.scores, strict=True):
            scores[at] = float(one)
    return scores, tokens


KINDS = {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError", 429: "RateLimitError"}


def failure(problem: Problem) -> tuple[int, object]:
    """vLLM's envelope, whose code is the status; the name of the error is beside."""
    kind = KINDS.get(problem.status, "BadRequestError" if problem.status < 500 else "InternalServerError")
    error = {"message": problem.sentence, "type": kind, "param": problem.place or None, "code": problem.status}
    return problem.status, {"error": error, "code": problem.code}


EXAMPLE = {"text_1": "when are keys rotated", "text_2": ["Keys are rotated on Mondays.", "Otters sleep afloat."]}
ROUTES = tuple(
    Route(
        "POST",
        path,
        score,
        "Scores of pairs of texts",
        body=ScoreRequest,
        reply=ScoreReply,
        examples={"one text with two": EXAMPLE},
    )
    for path in ("/score", "/v1/score")
)
