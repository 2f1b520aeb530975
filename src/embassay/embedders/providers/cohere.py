"""Cohere's v2 API. The role is its ``input_type``; texts are never cut there without a word (``truncate: NONE``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.wire import COHERE_ROLES, cohere_reply
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class Cohere(Api):
    name = "cohere"
    url = "https://api.cohere.com"
    key_variables = ("CO_API_KEY", "COHERE_API_KEY")
    caps = Caps(96)

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = True

    def request(self, texts: Sequence[str], role: Role) -> Request:
        """To ``/v2/embed``, with the role as ``input_type`` and ``truncate`` off."""
        body: dict[str, object] = {
            "model": self.model,
            "input_type": COHERE_ROLES[role],
            "texts": list(texts),
            "embedding_types": ["float"],
            "truncate": "NONE",
        }
        if self.settings.dimensions:
            body["output_dimension"] = self.settings.dimensions
        return Request("/v2/embed", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(*cohere_reply(body, count))


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Cohere:
    """Cohere's v2 API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return Cohere(settings, card)
