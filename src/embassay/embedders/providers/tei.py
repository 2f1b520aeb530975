"""Text Embeddings Inference, by its own ``/embed``. What it says of itself (``/info``) sets the batch and the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from embassay.embedders.http.api import Api, Caps, Description, Get, Reply, Request
from embassay.embedders.http.wire import bare_rows, said_in_header
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class _Info(msgspec.Struct):
    model_id: str = ""
    model_sha: str | None = None
    max_input_length: int | None = None
    max_client_batch_size: int | None = None


class Tei(Api):
    name = "tei"
    url = "http://localhost:3000"
    caps = Caps(32)
    normalises = True

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.normalises = not self.keeps_lengths  # type: ignore[misc]

    def is_default_service(self) -> bool:
        return False  # it serves whatever model it was started with

    def request(self, texts: Sequence[str], role: Role) -> Request:
        """To ``/embed``, with ``truncate`` off: a text that is too long is refused and not cut."""
        return Request("/embed", {"inputs": list(texts), "normalize": self.normalises, "truncate": False})

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(bare_rows(body, count), said_in_header(headers.get("x-compute-tokens")))

    def describe(self, get: Get) -> Description:
        """Revision, model, token limit and batch size, from ``/info``."""
        info = msgspec.json.decode(get("/info"), type=_Info)
        return Description(info.model_sha or "", info.model_id, info.max_input_length, info.max_client_batch_size)


def open_api(settings: Settings, card: ModelCard | None) -> Tei:
    """The TEI server at the base URL in `settings`. It is asked for its model and limits when the first text comes."""
    return Tei(settings, card)
