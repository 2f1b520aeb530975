"""Voyage's rerank API. It bills the tokens of the documents, and those of the query with each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embassay.embedders.http.api import Caps, Request
from embassay.reranking.http.api import RerankApi, RerankReply
from embassay.reranking.http.wire import scores_of
from embassay.reranking.settings import HttpRerankSettings


class Settings(HttpRerankSettings, frozen=True, kw_only=True):
    pass


class VoyageRerank(RerankApi):
    name = "voyage"
    url = "https://api.voyageai.com/v1"
    key_variables = ("VOYAGE_API_KEY",)
    caps = Caps(1000, 400_000)
    """The service takes 600,000 tokens of rerank-2.5 in a request, and its tokenizer may make more of a text."""
    max_tokens = 8000

    def request(self, query: str, texts: Sequence[str]) -> Request:
        """To ``/rerank``, for the scores of all documents, which are cut there where they are too long."""
        body = {
            "model": self.model,
            "query": query,
            "documents": list(texts),
            "top_k": len(texts),
            "truncation": True,
        }
        return Request("/rerank", body)

    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """``{"data": [{"index", "relevance_score"}], "usage": {"total_tokens": 9}}``."""
        return scores_of(body, "usage", "total_tokens")


def open_api(settings: Settings) -> VoyageRerank:
    """Voyage's API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return VoyageRerank(settings)
