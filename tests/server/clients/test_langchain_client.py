"""LangChain's `OpenAIEmbeddings`: as it is set for servers of others, and as it is by default."""

import asyncio
from pathlib import Path

import openai
import pytest
from langchain_openai import OpenAIEmbeddings

from tests.server.clients.conftest import TEXTS


@pytest.fixture
def embeddings(target):
    return OpenAIEmbeddings(
        base_url=f"{target.url}/v1", api_key="none", model=target.model, check_embedding_ctx_length=False
    )


def test_documents_and_queries(embeddings, target):
    assert target.like(embeddings.embed_documents(TEXTS))
    assert target.like(embeddings.embed_query(TEXTS[0]), 0)


def test_asyncio(embeddings, target):
    async def ask():
        return await asyncio.gather(embeddings.aembed_documents(TEXTS), embeddings.aembed_query(TEXTS[1]))

    documents, query = asyncio.run(ask())
    assert target.like(documents) and target.like(query, 1)


def test_token_ids_of_another_tokenizer_are_refused_with_the_remedy(ours, monkeypatch):
    """By default it sends ids of a tokenizer of OpenAI, which mean nothing to any other model."""
    import llama_index.core

    shipped = Path(llama_index.core.__file__).parent / "_static" / "tiktoken_cache"  # the tokenizer, without a download
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(shipped))
    client = OpenAIEmbeddings(base_url=f"{ours.url}/v1", api_key="none", model="minilm")
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        client.embed_documents(TEXTS)
