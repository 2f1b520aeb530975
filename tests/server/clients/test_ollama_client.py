"""Ollama's own client: `embed`, `embeddings`, `list`, `show` and `ps`, sync and async."""

import asyncio

import ollama
import pytest

from tests.server.clients.conftest import TEXTS


@pytest.fixture
def client(ours):
    return ollama.Client(host=ours.url)


def test_embed(client, ours):
    made = client.embed(model="minilm", input=TEXTS, truncate=True, keep_alive="10m", options={"num_ctx": 256})
    assert ours.like(made.embeddings) and made.prompt_eval_count > 0 and made.total_duration > 0
    assert ours.like(client.embed(model="minilm:latest", input=TEXTS[0]).embeddings, slice(0, 1))
    assert client.embed(model="minilm", input="").embeddings == []
    assert ours.like(client.embeddings(model="minilm", prompt=TEXTS[1]).embedding, 1)


def test_models(client):
    listed = {one.model: one for one in client.list().models}
    assert "minilm:latest" in listed and len(listed["minilm:latest"].digest) == 64
    assert listed["minilm:latest"].details.family and listed["minilm:latest"].modified_at
    shown = client.show("minilm")
    assert shown.capabilities == ["embedding"] and shown.modelinfo["general.architecture"]
    assert client.embed(model="minilm", input="a").embeddings
    (running,) = client.ps().models
    assert running.digest == listed["minilm:latest"].digest and running.expires_at


def test_asyncio(ours):
    async def ask():
        client = ollama.AsyncClient(host=ours.url)
        return await asyncio.gather(client.embed(model="minilm", input=TEXTS), client.list())

    made, listed = asyncio.run(ask())
    assert ours.like(made.embeddings) and listed.models


def test_errors_are_those_that_programs_catch(client):
    with pytest.raises(ollama.ResponseError, match="not served") as caught:
        client.embed(model="none", input="a")
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed(model="minilm", input="word " * 600, truncate=False)
    assert caught.value.status_code == 400
