"""Cohere's v2 API. The role is its ``input_type``; texts are never cut there without a word (``truncate: NONE``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from embassay.embedders.http.api import Api, Caps, Reply, Request, over_http, sizes_by_card
from embassay.embedders.http.wire import rows
from embassay.embedders.settings import HttpSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.http.driver import HttpEmbedder
    from embassay.types import Role

INPUT_TYPES = {"query": "search_query", "document": "search_document"}


class Settings(HttpSettings, frozen=True, kw_only=True):
    pass


class _Billed(msgspec.Struct):
    input_tokens: float | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None


class _ByType(msgspec.Struct, rename={"rows": "float"}):
    rows: list[list[float]]


class _Answer(msgspec.Struct):
    embeddings: _ByType | list[list[float]]
    """By type; a plain list from v1 and from Bedrock's first models."""
    meta: _Meta | None = None


_DECODER = msgspec.json.Decoder(_Answer)


class Cohere(Api):
    name = "cohere"
    url = "https://api.cohere.com"
    key_variables = ("CO_API_KEY", "COHERE_API_KEY")
    caps = Caps(96)

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = True

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, Any] = {
            "model": self.model,
            "input_type": INPUT_TYPES[role],
            "texts": list(texts),
            "embedding_types": ["float"],
            "truncate": "NONE",
        }
        if self.settings.dimensions:
            body["output_dimension"] = self.settings.dimensions
        return Request("/v2/embed", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return cohere_reply(body, count)


def cohere_reply(body: bytes, count: int) -> Reply:
    """``{"embeddings": {"float": [...]} or [...], "meta": {"billed_units": {"input_tokens": 2}}}``."""
    answer = _DECODER.decode(body)
    vectors = answer.embeddings.rows if isinstance(answer.embeddings, _ByType) else answer.embeddings
    billed = answer.meta and answer.meta.billed_units and answer.meta.billed_units.input_tokens
    return Reply(rows(vectors, count), int(billed) if billed else None)


sizes = sizes_by_card


def open_embedder(settings: Settings, card: ModelCard | None) -> HttpEmbedder:
    return over_http(Cohere(settings, card))
