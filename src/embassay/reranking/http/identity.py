"""What a reranker behind a `RerankApi` is: its name, its limits, what it costs, and what decides its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from embassay import remedy
from embassay.embedders.http.api import Caps, Description
from embassay.embedders.http.headers import identifying
from embassay.errors import ConfigError

if TYPE_CHECKING:
    from embassay.catalog.card import RerankerCard
    from embassay.reranking.http.api import RerankApi

MILLION, THOUSAND = 1_000_000, 1_000


class RerankIdentity:
    """Answers from the settings, the card and what the server says of itself, in this order. Nothing is sent here."""

    def __init__(self, api: RerankApi, card: RerankerCard | None) -> None:
        """Raises ConfigError for settings that name no model, where there are several."""
        if not api.model:
            raise ConfigError(
                f"a reranker of {api.name} needs a model_id.",
                remedy=remedy.setting("model_id", "NAME", say="{}, as the provider calls it."),
            )
        self.api, self.settings, self.card = api, api.settings, card

    @property
    def name(self) -> str:
        """As `Reranked.model` says it."""
        return f"{self.api.name}/{self.api.model}"

    @property
    def unit(self) -> str:
        """What is billed: as the settings price it, else as the provider's own."""
        if self.settings.usd_per_thousand_searches is not None:
            return "searches"
        return "tokens" if self.settings.usd_per_million_tokens is not None else self.api.unit

    @property
    def price(self) -> float | None:
        """USD per million of what is billed; 0 for a server of the user's own, None if unknown."""
        settings, card = self.settings, self.card if self.api.is_paid() else None
        if self.unit == "searches":
            said = [settings.usd_per_thousand_searches, card.usd_per_thousand_searches if card else None]
            factor = MILLION / THOUSAND
        else:
            said = [settings.usd_per_million_tokens, card.usd_per_million_tokens if card else None]
            factor = 1.0
        unknown = None if self.api.is_paid() else 0.0
        return next((usd * factor for usd in said if usd is not None), unknown)

    @property
    def priced(self) -> str:
        """The price in words; empty where nothing is billed."""
        price = self.price
        if price is None:
            return "at a price that is not known"
        if not price:
            return ""
        return f"${price / THOUSAND:g} per 1,000 searches" if self.unit == "searches" else f"${price:g} per 1M tokens"

    def max_tokens(self, said: Description) -> int:
        """Most tokens of a query and a text together: the least of what settings, card and server say."""
        limits = [n for n in (self.settings.max_tokens, self.card and self.card.max_tokens, said.max_tokens) if n]
        return min(limits) if limits else self.api.max_tokens

    def caps(self, said: Description) -> Caps:
        """Most that one request may hold: as set, else what the server or the provider say."""
        inputs = self.api.caps.inputs if said.max_inputs is None else said.max_inputs
        return Caps(self.settings.batch_size or inputs, self.settings.batch_tokens or self.api.caps.tokens)

    def scores_key(self, said: Description) -> str:
        """Whatever decides the scores, as one text."""
        settings, parts = self.settings, urlsplit(self.api.base_url())
        place = "" if self.api.is_default_service() else f"{parts.netloc.rpartition('@')[2]}{parts.path}?{parts.query}"
        weights = settings.revision or said.revision or place
        chosen = [self.name, weights, said.model, self.api.variant(), self.max_tokens(said)]
        return msgspec.json.encode([*chosen, settings.extra_body, identifying(settings)], order="sorted").decode()
