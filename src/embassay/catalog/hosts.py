"""Companies that run open weights: a hosted copy of a model is a choice of its own, beside running it oneself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from embassay.catalog.card import ModelCard

HOSTS = Path(__file__).with_name("hosts.toml")
PROVIDER = "openai"
"""The provider whose protocol all of them speak."""


class Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One company."""

    base_url: str
    source: str


@lru_cache(maxsize=1)
def hosts() -> Mapping[str, Host]:
    """The companies that can be reached, by name."""
    rows = tomllib.loads(HOSTS.read_text("utf-8"))
    return {name: msgspec.convert(row, Host) for name, row in rows.items()}


def hosted_copies(card: ModelCard) -> list[ModelCard]:
    """The model as each company offers it, the cheapest first: a card that is hosted, at the price of that company.

    A company of which no address is known makes no choice that anybody could use, and is left out.
    """
    offers = sorted(
        (offer.usd_per_million_tokens, name, offer) for name, offer in card.hosted.items() if name in hosts()
    )
    return [
        msgspec.structs.replace(
            card,
            provider_ids={name: offer.model or card.id},
            usd_per_million_tokens=usd,
            price_date=offer.price_date,
            price_source=offer.price_source,
            hosted={},
        )
        for usd, name, offer in offers
    ]


def settings_of(copy: ModelCard) -> dict[str, str]:
    """What the configuration says of a model to have it from the company of a hosted copy; empty for any other card."""
    host = hosts().get(copy.provider)
    if host is None:
        return {}
    name = copy.provider_ids[copy.provider]
    return {"provider": PROVIDER, "base_url": host.base_url, "model_id": name, "card": copy.id}
