"""Embedding configs: the models that sets may be made with, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from embassay.catalog.card import ModelCard
from embassay.models.reference import parse_reference
from embassay.server.call import Call
from embassay.server.keys.principal import ANYONE
from embassay.server.own import failure
from embassay.server.route import Route

if TYPE_CHECKING:
    from embassay.embedders.settings import Settings

__all__ = ["ROUTES", "failure"]


class ConfigObject(msgspec.Struct, kw_only=True):
    id: str
    """By which sets are made, and texts are embedded."""
    model: str
    """As the catalog names it."""
    provider: str
    """Who runs it; `local`: this server."""
    is_default: bool
    dimensions: int | None
    max_tokens: int | None
    """Of one text."""
    supports_mrl: bool
    """Whether the model was trained for vectors to be cut to fewer dimensions (Matryoshka)."""
    matryoshka_dims: list[int]
    """Dimensions that it may be cut to."""
    matryoshka_range: list[int] | None
    """Or any number of dimensions between these."""
    default_truncate_dim: int | None
    """To which this config cuts vectors where nothing else is asked for; null: not at all."""
    prompts: Mapping[str, str]
    """What is put before a text, by its role."""
    similarity: str
    languages: list[str]
    licence: str
    commercial: bool | None
    usd_per_million_tokens: float | None
    known: bool
    """Whether the catalog knows the model; otherwise most of this is unknown."""


class ConfigList(msgspec.Struct):
    data: list[ConfigObject]


async def listed(call: Call) -> ConfigList:
    """Those that the key may use."""
    return await call.service.in_worker(_all, call)


async def shown(call: Call) -> ConfigObject:
    """One of them, by its id or another name of its model."""
    return await call.service.in_worker(_one, call, call.path["id"])


def _all(call: Call) -> ConfigList:
    return ConfigList([_object(call, name) for name in call.service.models.names(call.principal)])


def _one(call: Call, id: str) -> ConfigObject:
    return _object(call, call.service.models.find(id, call.principal))


def _object(call: Call, name: str) -> ConfigObject:
    models = call.service.session.models
    name = parse_reference(name).base
    card, settings = models.card(name), models.settings(name)
    known = card or ModelCard(id=settings.model_id or name)
    return ConfigObject(
        id=name,
        model=known.id,
        provider=settings.provider,
        is_default=name == parse_reference(call.service.models.find("", ANYONE)).base,
        dimensions=known.dimensions,
        max_tokens=settings.max_tokens or known.max_tokens,
        supports_mrl=known.can_cut,
        matryoshka_dims=[*known.matryoshka],
        matryoshka_range=[*known.matryoshka_range] if known.matryoshka_range else None,
        default_truncate_dim=settings.dimensions,
        prompts=_prompts(settings, known),
        similarity=known.similarity or "cosine",
        languages=[*known.languages],
        licence=known.licence,
        commercial=known.commercial,
        usd_per_million_tokens=known.usd_per_million_tokens,
        known=card is not None,
    )


def _prompts(settings: Settings, card: ModelCard) -> Mapping[str, str]:
    """Those of the card, and in their place those that the configuration says."""
    own = {"query": settings.query_prompt, "document": settings.document_prompt}
    return {**card.prompts, **{role: prompt for role, prompt in own.items() if prompt is not None}}


CONFIGS = "/api/v1/embedding-configs"

ROUTES = (
    Route("GET", CONFIGS, listed, "The models that sets may be made with", reply=ConfigList),
    Route("GET", f"{CONFIGS}/{{id:path}}", shown, "One of them", reply=ConfigObject),
)
