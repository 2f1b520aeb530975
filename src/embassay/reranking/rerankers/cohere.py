"""Cohere's v2 rerank API. It bills searches: a query with up to 100 documents, where a long one counts as several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from embassay.embedders.http.api import Caps, Request
from embassay.embedders.texts.bill import Counted
from embassay.reranking.http.api import RerankApi, RerankReply
from embassay.reranking.http.wire import scores_of
from embassay.reranking.settings import HttpRerankSettings

DOCUMENTS_A_SEARCH = 100
DOCUMENT_TOKENS = 500
"""Of a query and a document together: what is longer is billed as several documents (Cohere's page of prices)."""


class Settings(HttpRerankSettings, frozen=True, kw_only=True):
    pass


class CohereRerank(RerankApi):
    name = "cohere"
    url = "https://api.cohere.com"
    key_variables = ("CO_API_KEY", "COHERE_API_KEY")
    caps = Caps(1000)
    max_tokens = 4096
    unit = "searches"

    def request(self, query: str, texts: Sequence[str]) -> Request:
        """To ``/v2/rerank``, for the scores of all documents."""
        body: dict[str, object] = {"model": self.model, "query": query, "documents": list(texts), "top_n": len(texts)}
        if self.settings.max_tokens:
            body["max_tokens_per_doc"] = self.settings.max_tokens
        return Request("/v2/rerank", body)

    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """``{"results": [{"index", "relevance_score"}], "meta": {"billed_units": {"search_units": 1}}}``."""
        return scores_of(body, "meta", "billed_units", "search_units")

    def counted(self, query: str, texts: Sequence[str], tokens: Sequence[int]) -> Counted:
        """Searches: one for each 100 documents, where a long one counts as several."""
        alone, *each = tokens
        likely = sum(math.ceil((alone + count) / DOCUMENT_TOKENS) for count in each)
        longest = [Counted.of([query, text], alone + count).most for text, count in zip(texts, each, strict=True)]
        room = max(1, DOCUMENT_TOKENS - Counted.of([query], alone).most)
        most = sum(max(1, math.ceil(count / room)) for count in longest)
        searches = [math.ceil(documents / DOCUMENTS_A_SEARCH) for documents in (likely, len(texts), most)]
        return Counted(*searches)


def open_api(settings: Settings) -> CohereRerank:
    """Cohere's v2 API for the model in `settings`. Nothing is sent, and the key is not looked for yet."""
    return CohereRerank(settings)
