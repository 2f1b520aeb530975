"""Voyage's own client: `embed` and `rerank`, sync and async."""

import asyncio

import numpy as np
import pytest
import voyageai
from voyageai.error import InvalidRequestError, VoyageError

from tests.server.clients.conftest import TEXTS

QUERY = "rotate the key"
DOCUMENTS = ["the search index", "rotate the key", "a proxy server"]


@pytest.fixture
def client(ours):
    return voyageai.Client(api_key="none", base_url=f"{ours.url}/v1", max_retries=1)


def test_embed(client, ours):
    made = client.embed(TEXTS, model="minilm", input_type="document")
    assert ours.like(made.embeddings) and made.total_tokens > 0
    assert ours.like(client.embed(TEXTS, model="minilm").embeddings)
    small = np.array(client.embed(TEXTS, model="minilm", output_dtype="int8").embeddings)
    assert np.abs(small).max() == 127 and small.shape == (3, 384)
    bits = client.embed(TEXTS, model="minilm", output_dtype="ubinary").embeddings
    assert (np.unpackbits(np.array(bits, np.uint8), axis=1) == (ours.vectors > 0)).mean() > 0.99
    assert len(client.embed(["word " * 600], model="minilm", truncation=True).embeddings) == 1


def test_rerank(client, ours):
    known = ours.home.session.rerank(QUERY, DOCUMENTS, model="tiny")
    made = client.rerank(QUERY, DOCUMENTS, model="tiny", top_k=2)
    assert [one.index for one in made.results] == known.order[:2]
    assert made.results[0].document == DOCUMENTS[known.order[0]] and made.total_tokens == int(known.tokens.sum())
    assert len(client.rerank(QUERY, DOCUMENTS, model="tiny").results) == 3


def test_asyncio(ours):
    async def ask():
        client = voyageai.AsyncClient(api_key="none", base_url=f"{ours.url}/v1", max_retries=1)
        made = await client.embed(TEXTS, model="minilm", input_type="query")
        ranked = await client.rerank(QUERY, DOCUMENTS, model="tiny")
        return made.embeddings, ranked.results

    vectors, ranked = asyncio.run(ask())
    assert ours.like(vectors) and len(ranked) == 3


def test_errors_are_those_that_programs_catch(client):
    with pytest.raises(InvalidRequestError, match=r'text 0 has .* Send "truncation": true'):
        client.embed(["word " * 600], model="minilm", truncation=False)
    with pytest.raises(VoyageError, match="not served"):
        client.embed(TEXTS, model="none")
    with pytest.raises(VoyageError, match="reranker"):
        client.rerank(QUERY, DOCUMENTS, model="none")
