"""LlamaIndex: `OpenAIEmbedding`, `TextEmbeddingsInference` and `OllamaEmbedding`."""

import asyncio

import pytest
from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

from tests.server.clients.conftest import TEXTS


def of_openai(target):
    return OpenAIEmbedding(model_name=target.model, api_base=f"{target.url}/v1", api_key="none", reuse_client=False)


def of_tei(target):
    return TextEmbeddingsInference(model_name="minilm", base_url=target.url)


def of_ollama(target):
    return OllamaEmbedding(model_name="minilm", base_url=target.url)


def check(embedding, target):
    assert target.like(embedding.get_text_embedding_batch(TEXTS))
    assert target.like(embedding.get_text_embedding(TEXTS[0]), 0)
    assert target.like(embedding.get_query_embedding(TEXTS[1]), 1)

    async def ask():
        return (
            await embedding.aget_text_embedding_batch(TEXTS),
            await embedding.aget_text_embedding(TEXTS[2]),
            await embedding.aget_query_embedding(TEXTS[0]),
        )

    batch, text, query = asyncio.run(ask())
    assert target.like(batch) and target.like(text, 2) and target.like(query, 0)


def test_openai(target):
    check(of_openai(target), target)


@pytest.mark.parametrize("made", [of_tei, of_ollama])
def test_tei_and_ollama(ours, made):
    check(made(ours), ours)
