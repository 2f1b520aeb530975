"""Hugging Face Inference: the hub's serverless router, or an endpoint of your own by its ``base_url``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from embassay.embedders.http.api import Api, Caps, Reply, Request
from embassay.embedders.http.rows import rows
from embassay.embedders.settings import HttpSettings
from embassay.errors import BadReply

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class HuggingFace(Api):
    name = "huggingface"
    url = "https://router.huggingface.co/hf-inference/models"
    key_variables = ("HF_TOKEN",)
    caps = Caps(32)
    normalises = True

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.normalises = not self.keeps_lengths  # type: ignore[misc]

    def request(self, texts: Sequence[str], role: Role) -> Request:
        path = f"/{quote(self.model)}/pipeline/feature-extraction" if self.is_default_service() else ""
        return Request(path, {"inputs": list(texts), "normalize": self.normalises, "truncate": False})

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        answer = msgspec.json.decode(body, type=list)
        if answer and isinstance(answer[0], list) and answer[0] and isinstance(answer[0][0], list):
            raise BadReply("the reply has a vector for each token: the repository has no sentence pooling.")
        return Reply(rows(answer, count))


def open_api(settings: Settings, card: ModelCard | None) -> HuggingFace:
    """The hub's router, or the endpoint at the base URL in `settings`. Nothing is sent yet."""
    return HuggingFace(settings, card)
