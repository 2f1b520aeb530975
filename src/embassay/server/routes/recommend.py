"""Recommendations: models to try first for what is asked of them, with the reason for each pick and each exclusion."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from embassay.catalog.advice import FINE_TUNING, advise
from embassay.catalog.rules import Needs
from embassay.evaluate.speed.machine import known_machine
from embassay.server.call import Call
from embassay.server.own import failure
from embassay.server.refusals import RequestInvalid
from embassay.server.route import Route

if TYPE_CHECKING:
    from embassay.catalog.advice import Pick

__all__ = ["ROUTES", "failure"]

Bound = Annotated[float, msgspec.Meta(gt=0, le=1e12)]


class NeedsQuery(msgspec.Struct, kw_only=True):
    language: Annotated[str, msgspec.Meta(pattern="^([a-z]{2,3}|multilingual|code)(,([a-z]{2,3}|code))*$")] | None = (
        None
    )
    """Of the texts, by code; several with commas between: `de,en`."""
    domain: str = ""
    """Of the texts: `code`, `legal`, `medical`, ..."""
    privacy: bool = False
    """No text may leave the machines of whoever runs it."""
    api: bool = True
    """Whether hosted models may be used at all."""
    hosted: bool = False
    """Only hosted models."""
    commercial: bool = False
    """The licence has to allow commercial use."""
    gpu: bool = False
    max_mb: Bound | None = None
    max_latency_ms: Bound | None = None
    max_storage_gb: Bound | None = None
    """Of a million vectors."""
    max_usd: Bound | None = None
    """Of a million tokens."""
    min_tokens: Annotated[int, msgspec.Meta(ge=1, le=1 << 31)] | None = None
    """Tokens of one text that a model has to read."""
    rerank: Literal["none", "llm", "cross-encoder"] = "none"
    """What orders the hits anew."""
    n: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


class PickObject(msgspec.Struct, kw_only=True):
    id: str
    provider: str
    why: list[str]
    points: float | None
    """By which picks are ordered; null for one whose scores compare with no others."""
    dimensions: int | None
    max_tokens: int | None
    supports_mrl: bool
    licence: str
    usd_per_million_tokens: float | None
    served: bool
    """Whether sets may be made with it here."""


class ExclusionObject(msgspec.Struct):
    id: str
    why: str


class LimitObject(msgspec.Struct):
    name: str
    limit: str
    asked: bool
    """Whether the request set it; otherwise it is one of ours."""


class AdviceReply(msgspec.Struct):
    recommended: list[PickObject]
    specialists: list[PickObject]
    """Made for what was asked for, without a score that compares with those of the others."""
    excluded: list[ExclusionObject]
    limits: list[LimitObject]


async def recommend(call: Call) -> AdviceReply:
    """The first picks."""
    asked: NeedsQuery = call.query
    if asked.domain not in FINE_TUNING:
        known = ", ".join(sorted(filter(None, FINE_TUNING)))
        raise RequestInvalid(f"domain {asked.domain[:40]!r} is not one of {known}.", place="domain")
    return await call.service.in_worker(_advised, call, asked)


def _advised(call: Call, asked: NeedsQuery) -> AdviceReply:
    models = call.service.models
    cards = call.service.session.models.catalog.models.values()
    needs = Needs(
        hosted=asked.hosted,
        privacy=asked.privacy,
        api=asked.api,
        languages=tuple(asked.language.split(",")) if asked.language else (),
        commercial=asked.commercial,
        gpu=asked.gpu,
        max_mb=asked.max_mb,
        max_latency_ms=asked.max_latency_ms,
        max_storage_gb=asked.max_storage_gb,
        max_usd=asked.max_usd,
        min_tokens=asked.min_tokens,
        domain=asked.domain,
        rerank=asked.rerank,
        machine=known_machine(),
    )
    advice = advise(cards, needs, count=asked.n)
    served = {card.id for name in models.names(call.principal) if (card := call.service.session.models.card(name))}
    return AdviceReply(
        [_pick(one, served) for one in advice.recommended],
        [_pick(one, served) for one in advice.specialists],
        [ExclusionObject(id, why) for id, why in advice.excluded],
        [LimitObject(one.name, one.what, one.asked) for one in advice.limits],
    )


def _pick(pick: Pick, served: Collection[str]) -> PickObject:
    card = pick.card
    return PickObject(
        id=card.id,
        provider=card.provider,
        why=[*pick.why],
        points=None if pick.standing is None else round(pick.score, 2),
        dimensions=card.dimensions,
        max_tokens=card.max_tokens,
        supports_mrl=card.can_cut,
        licence=card.licence,
        usd_per_million_tokens=0.0 if card.open_weights else card.usd_per_million_tokens,
        served=card.id in served,
    )


ROUTES = (
    Route("GET", "/api/v1/models/recommend", recommend, "Models to try first", query=NeedsQuery, reply=AdviceReply),
)
