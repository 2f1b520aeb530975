"""A vLLM server with a cross-encoder, by ``/v1/score``, or by ``/v1/rerank``, which llama.cpp, Infinity and LiteLLM
have as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from embassay.embedders.http.api import Caps, Description, Get, Request
from embassay.errors import RequestRefused
from embassay.reranking.http.api import RerankApi, RerankReply
from embassay.reranking.http.wire import scores_of
from embassay.reranking.settings import HttpRerankSettings


class Settings(HttpRerankSettings, frozen=True, kw_only=True):
    path: Literal["score", "rerank"] = "score"
    """By which of the two it is asked; servers that only speak like vLLM have ``rerank``."""


class _Model(msgspec.Struct):
    id: str = ""
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: list[_Model] = []


class VllmRerank(RerankApi):
    name = "vllm"
    url = "http://localhost:8000/v1"
    caps = Caps(256)
    cuts = False

    settings: Settings

    def is_default_service(self) -> bool:
        return False  # it serves whatever model it was started with

    def request(self, query: str, texts: Sequence[str]) -> Request:
        """To ``/score`` or ``/rerank`` below the base URL; texts were cut before, as long ones are refused there."""
        if self.settings.path == "score":
            return Request("/score", {"model": self.model, "text_1": query, "text_2": list(texts)})
        body = {"model": self.model, "query": query, "documents": list(texts), "top_n": len(texts)}
        return Request("/rerank", body)

    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """``{"data": [{"index", "score"}], "usage": {...}}``, or ``results`` with ``relevance_score``."""
        return scores_of(body, "usage", "total_tokens")

    def describe(self, get: Get) -> Description:
        """The token limit, from ``/models``, where the server says it."""
        try:
            listed = msgspec.json.decode(get("/models"), type=_Models)
        except RequestRefused:  # servers that only speak like vLLM may have no such page
            return Description()
        known = {one.id: one.max_model_len for one in listed.data}
        return Description(max_tokens=known.get(self.model))


def open_api(settings: Settings) -> VllmRerank:
    """The server at the base URL in `settings`. It is asked for its limit when the first text comes."""
    return VllmRerank(settings)
