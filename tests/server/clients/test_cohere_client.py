"""Cohere's own client: `embed` and `rerank`, of version 2 and of version 1, sync and async."""

import asyncio

import cohere
import numpy as np
import pytest
from cohere.errors import BadRequestError, NotFoundError

from tests.server.clients.conftest import TEXTS

QUERY = "rotate the key"
DOCUMENTS = ["the search index", "rotate the key", "a proxy server"]


@pytest.fixture
def client(ours):
    return cohere.ClientV2(api_key="none", base_url=ours.url)


def test_embed(client, ours):
    made = client.embed(model="minilm", texts=TEXTS, input_type="search_document", embedding_types=["float", "int8"])
    assert ours.like(made.embeddings.float_) and np.abs(made.embeddings.int8).max() == 127
    assert made.meta.billed_units.input_tokens > 0 and made.texts == TEXTS
    made = client.embed(model="minilm", texts=TEXTS, input_type="search_query", truncate="START")
    assert ours.like(made.embeddings.float_)
    inputs = [{"content": [{"type": "text", "text": text}]} for text in TEXTS]
    made = client.embed(model="minilm", inputs=inputs, input_type="search_document", embedding_types=["float"])
    assert ours.like(made.embeddings.float_)


def test_rerank(client, ours):
    known = ours.home.session.rerank(QUERY, DOCUMENTS, model="tiny")
    made = client.rerank(model="tiny", query=QUERY, documents=DOCUMENTS, top_n=2)
    assert [one.index for one in made.results] == known.order[:2]
    assert made.results[0].relevance_score == pytest.approx(float(known.scores.max()))
    assert client.rerank(model="tiny", query=QUERY, documents=DOCUMENTS, max_tokens_per_doc=4).results


def test_version_one(ours):
    client = cohere.Client(api_key="none", base_url=ours.url)
    assert ours.like(client.embed(texts=TEXTS, model="minilm", input_type="search_document").embeddings)
    made = client.embed(texts=TEXTS, model="minilm", input_type="search_document", embedding_types=["float"])
    assert ours.like(made.embeddings.float_)
    ranked = client.rerank(
        model="tiny", query=QUERY, documents=[{"text": one} for one in DOCUMENTS], return_documents=True
    )
    assert ranked.results[0].document.text == DOCUMENTS[ranked.results[0].index] and len(ranked.results) == 3


def test_asyncio(ours):
    async def ask():
        async with cohere.AsyncClientV2(api_key="none", base_url=ours.url) as client:
            embedded, ranked = await asyncio.gather(
                client.embed(model="minilm", texts=TEXTS, input_type="search_document", embedding_types=["float"]),
                client.rerank(model="tiny", query=QUERY, documents=DOCUMENTS),
            )
        return embedded.embeddings.float_, ranked.results

    vectors, ranked = asyncio.run(ask())
    assert ours.like(vectors) and len(ranked) == 3


def test_errors_are_those_that_programs_catch(client):
    with pytest.raises(BadRequestError, match="query and document"):
        client.embed(model="minilm", texts=TEXTS, input_type="clustering", embedding_types=["float"])
    with pytest.raises(NotFoundError):
        client.embed(model="none", texts=TEXTS, input_type="search_query", embedding_types=["float"])
    with pytest.raises(NotFoundError):
        client.rerank(model="none", query=QUERY, documents=DOCUMENTS)
