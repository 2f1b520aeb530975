"""Text Embeddings Inference with a reranker, by ``/rerank``. What it says of itself (``/info``) sets the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from embassay.embedders.http.api import Caps, Description, Get, Request
from embassay.embedders.http.wire import said_in_header
from embassay.reranking.http.api import RerankApi, RerankReply
from embassay.reranking.http.wire import scores_of
from embassay.reranking.settings import HttpRerankSettings


class Settings(HttpRerankSettings, frozen=True, kw_only=True):
    raw_scores: bool = False
    """The model's own numbers instead of the probability that is made of them: equal where only the order counts."""


class _Served(msgspec.Struct):
    model_id: str = ""
    model_sha: str | None = None
    max_input_length: int | None = None


class _Info(_Served):
    max_client_batch_size: int | None = None
    reranker: _Served | None = None
    """Of a server that has several models."""


class TeiRerank(RerankApi):
    name = "tei"
    url = "http://localhost:3000"
    caps = Caps(32)

    settings: Settings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.model = settings.model_id or "reranker"

    def is_default_service(self) -> bool:
        return False  # it serves whatever model it was started with

    def request(self, query: str, texts: Sequence[str]) -> Request:
        """To ``/rerank``; what is too long is cut there, at the end."""
        body = {"query": query, "texts": list(texts), "raw_scores": self.settings.raw_scores, "truncate": True}
        return Request("/rerank", body)

    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """``[{"index": 0, "score": 0.9}]``, best first."""
        return RerankReply(scores_of(body).scores, said_in_header(headers.get("x-compute-tokens")))

    def describe(self, get: Get) -> Description:
        """Revision, model, token limit and batch size, from ``/info``."""
        info = msgspec.json.decode(get("/info"), type=_Info)
        served = info.reranker or info
        return Description(served.model_sha or "", served.model_id, served.max_input_length, info.max_client_batch_size)

    def variant(self) -> str:
        """Whether scores are raw."""
        return "raw" if self.settings.raw_scores else ""


def open_api(settings: Settings) -> TeiRerank:
    """The TEI server at the base URL in `settings`. It is asked for its model and limits when the first text comes."""
    return TeiRerank(settings)
