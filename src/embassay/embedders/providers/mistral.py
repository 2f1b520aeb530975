"""Mistral. It has no roles and does not cut: over-long texts are cut here and flagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.wire import openai_reply
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class Mistral(Api):
    name = "mistral"
    url = "https://api.mistral.ai/v1"
    key_variables = ("MISTRAL_API_KEY",)
    caps = Caps(512, 14_000)
    max_tokens = 8192

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, object] = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        if self.settings.dimensions:
            body["output_dimension"] = self.settings.dimensions
        return Request("/embeddings", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(*openai_reply(body, count))


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Mistral:
    """Mistral's API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return Mistral(settings, card)
