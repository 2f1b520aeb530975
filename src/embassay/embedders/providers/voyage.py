"""Voyage AI. The role is its ``input_type``; the service puts its own prompt before the text.

Keys that start with ``al-`` belong to MongoDB's endpoint, which is then used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.credentials import read_key
from embassay.embedders.http.wire import openai_reply
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

MONGODB_URL = "https://ai.mongodb.com/v1"


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class Voyage(Api):
    name = "voyage"
    url = "https://api.voyageai.com/v1"
    key_variables = ("VOYAGE_API_KEY",)
    hosts = ("ai.mongodb.com",)
    caps = Caps(1000, 100_000)
    max_tokens = 16_000

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = True

    def base_url(self) -> str:
        return MONGODB_URL if not self.settings.base_url and self._is_mongodb else super().base_url()

    @cached_property
    def _is_mongodb(self) -> bool:
        """Whether the key is one of MongoDB. Raises ConfigError for a reference that leads nowhere."""
        return read_key(self.settings, self.key_variables, f"{self.name}/{self.model}").startswith("al-")

    def is_default_service(self) -> bool:
        return self.base_url() in (self.url, MONGODB_URL)

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, object] = {
            "model": self.model,
            "input": list(texts),
            "input_type": role,
            "truncation": False,
            "encoding_format": "base64",  # or nothing: it refuses "float"
        }
        if self.settings.dimensions:
            body["output_dimension"] = self.settings.dimensions
        return Request("/embeddings", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(*openai_reply(body, count))


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Voyage:
    """Voyage's API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return Voyage(settings, card)
