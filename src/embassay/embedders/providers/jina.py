"""Jina AI. The role is its ``task`` for v3 and later; v2 models have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.wire import openai_reply
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

TASKS = {"query": "retrieval.query", "document": "retrieval.passage"}


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class Jina(Api):
    name = "jina"
    url = "https://api.jina.ai/v1"
    key_variables = ("JINA_API_KEY",)
    caps = Caps(128)
    max_tokens = 8192
    normalises = True

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = not self.model.startswith(("jina-embeddings-v2", "jina-clip"))

    def authorise(self, key: str) -> Mapping[str, str]:
        return {**super().authorise(key), "Accept": "application/json"}

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, object] = {
            "model": self.model,
            "input": list(texts),
            "embedding_type": "float",
            "normalized": True,
            "truncate": False,
        }
        if self.role_by_parameter:
            body["task"] = TASKS[role]
        if self.settings.dimensions:
            body["dimensions"] = self.settings.dimensions
        return Request("/embeddings", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(*openai_reply(body, count))


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Jina:
    """Jina's API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return Jina(settings, card)
