"""Jina's rerank API. It bills the tokens of the documents, and those of the query with each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embassay.embedders.http.api import Caps, Request
from embassay.reranking.http.api import RerankApi, RerankReply
from embassay.reranking.http.wire import scores_of
from embassay.reranking.settings import HttpRerankSettings


class Settings(HttpRerankSettings, frozen=True, kw_only=True):
    pass


class JinaRerank(RerankApi):
    name = "jina"
    url = "https://api.jina.ai"
    key_variables = ("JINA_API_KEY",)
    caps = Caps(1000)
    max_tokens = 1024

    def request(self, query: str, texts: Sequence[str]) -> Request:
        """To ``/v1/rerank``, for the scores of all documents, without their texts, which come back by default."""
        body = {
            "model": self.model,
            "query": query,
            "documents": list(texts),
            "top_n": len(texts),
            "return_documents": False,
        }
        return Request("/v1/rerank", body)

    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """``{"results": [{"index", "relevance_score"}], "usage": {"total_tokens": 50}}``."""
        return scores_of(body, "usage", "total_tokens")


def open_api(settings: Settings) -> JinaRerank:
    """Jina's API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return JinaRerank(settings)
