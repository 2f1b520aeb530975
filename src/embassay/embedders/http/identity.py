"""What a model behind an `Api` is: its name, limits, price and prompts, and the space of its vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from urllib.parse import urlsplit

import msgspec

from embassay import remedy
from embassay.config.secrets import is_secret
from embassay.embedders.http.api import Api, Caps, Description
from embassay.embedders.http.headers import identifying
from embassay.errors import ConfigError
from embassay.space import NO_TRANSFORM, Similarity, Space, compared_by
from embassay.types import Role


class Identity:
    """Answers from the settings, the card and what the server says of itself, in this order. Nothing is sent here."""

    def __init__(self, api: Api) -> None:
        """Raises ConfigError for settings that name no model."""
        if not api.model:
            raise ConfigError(
                f"a model of {api.name} needs a model_id.",
                remedy=remedy.setting("model_id", "NAME", say="{}, as the provider calls it."),
            )
        self.api, self.settings, self.card = api, api.settings, api.card
        if api.normalises and api.keeps_lengths:
            raise ConfigError(
                f"{api.name} gives vectors of length 1, and those of {api.model} are compared by dot product, for "
                "which their lengths count.",
                remedy=remedy.setting("similarity", "cosine", say="Run it elsewhere, or set {} to do without them."),
            )

    @property
    def name(self) -> str:
        """As `Embeddings.model` says it."""
        return f"{self.api.name}/{self.api.model}"

    @property
    def dimensions(self) -> int | None:
        """As set or known; None where the first vector will tell."""
        return self.settings.dimensions or (self.card.dimensions if self.card else None)

    @property
    def normalised(self) -> bool:
        """Whether the space promises vectors of length 1; not every server keeps that."""
        return self.api.normalises or bool(self.card and self.card.normalised)

    @property
    def similarity(self) -> Similarity:
        """How its vectors are compared: as set, or as its card says, else by cosine."""
        return compared_by("dot" if self.api.keeps_lengths else "cosine", normalised=self.normalised)

    @property
    def price(self) -> float | None:
        """USD per million tokens; 0 for a server of the user's own, None if unknown."""
        if self.settings.usd_per_million_tokens is not None:
            return self.settings.usd_per_million_tokens
        if self.card and self.card.usd_per_million_tokens is not None:
            return self.card.usd_per_million_tokens
        return None if self.api.is_paid() else 0.0

    def usd(self, tokens: int) -> float | None:
        """What so many billed tokens cost; None where the price is not known."""
        return tokens * self.price / 1e6 if self.price is not None and tokens else 0.0 if not tokens else None

    def prompt(self, role: Role) -> str:
        """What is put before a text of `role`, if the request does not say the role by itself."""
        known = self.card.prompts if self.card and not self.role_by_parameter else {}
        return self.settings.prompt(role, known.get(role, ""))

    @property
    def role_by_parameter(self) -> bool:
        """Whether the request says the role, by the provider's own rules or as it is set, so that no prompt is put
        before a text."""
        return self.api.role_by_parameter or self.settings.says_roles_by_fields

    @property
    def roles_differ(self) -> bool:
        """Whether the same text is sent in another way as query and as document."""
        return self.role_by_parameter or self.prompt("query") != self.prompt("document")

    def max_tokens(self, said: Description) -> int:
        """Most tokens of one text: the least of what settings, card and server say."""
        known = self.card.max_tokens if self.card else None
        limits = [n for n in (self.settings.max_tokens, known, said.max_tokens) if n]
        return min(limits) if limits else self.api.max_tokens

    def caps(self, said: Description) -> Caps:
        """Most that one request may hold: as set, else what card, server or provider say."""
        card, caps = self.card, self.api.caps
        stated = caps.inputs if said.max_inputs is None else said.max_inputs
        inputs = [n for n in (card and card.max_batch_inputs, stated) if n]
        tokens = [n for n in (self.settings.batch_tokens, (card and card.max_batch_tokens) or caps.tokens) if n]
        return Caps(self.settings.batch_size or min(inputs), min(tokens, default=None))

    def space(self, dimensions: int, said: Description) -> Space:
        """Where vectors of so many dimensions live."""
        known = self.card
        cut = known and known.dimensions and self.settings.dimensions and self.settings.dimensions < known.dimensions
        return Space(
            model=self.name,
            weights=self._weights(said, self._variant),
            dimensions=dimensions,
            pooling=(known.pooling if known else "") or "unknown",
            normalised=self.normalised,
            query_prompt=self._prompt_in_space("query"),
            document_prompt=self._prompt_in_space("document"),
            transform="matryoshka" if cut else NO_TRANSFORM,
            similarity=self.similarity,
            max_tokens=self.max_tokens(said),
        )

    def former_space(self, dimensions: int, said: Description) -> Space:
        """The same as it was named before spaces had the token limit, what a server calls its model, and more."""
        space = self.space(dimensions, said)
        weights = self._weights(replace(said, model=""), self._former_variant)
        return replace(space.of_short_texts, weights=weights, similarity="cosine")

    def _weights(self, said: Description, variant: str) -> str:
        """Identifies the weights as well as can be: pinned, as the server says, or by the service's own address."""
        stated = self.settings.revision or said.revision
        if stated:
            return stated + variant
        parts = urlsplit(self.api.base_url())
        place = "" if self.api.is_default_service() else f":{parts.netloc.rpartition('@')[2]}{parts.path}"
        served = f" {said.model}" if said.model else ""
        return f"hosted{place}{served}{variant}"

    @cached_property
    def _variant(self) -> str:
        """A digest of what else chooses the model or changes its vectors; empty where nothing does."""
        return self._digest_of(self.api.variant(), identifying(self.settings))

    @property
    def _former_variant(self) -> str:
        """The variant of earlier versions: it left out headers that look secret, and resolved no references."""
        headers = {name: text for name, text in self.settings.headers.items() if not is_secret(name)}
        return self._digest_of(self.api.former_variant(), headers)

    def _digest_of(self, variant: str, headers: Mapping[str, str]) -> str:
        settings = self.settings
        parts: list[object] = [variant, urlsplit(self.api.base_url()).query, settings.extra_body or "", headers or ""]
        if settings.says_roles_by_fields:
            parts.append([settings.query_body, settings.document_body])
        if not any(parts):
            return ""
        return "+" + hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:8]

    def _prompt_in_space(self, role: Role) -> str:
        prompt = self.prompt(role)
        if not self.role_by_parameter or prompt:
            return prompt
        if self.card and self.card.role_parameter:
            return self.card.role_parameter.get(role, "")
        return f"{role} by parameter"
