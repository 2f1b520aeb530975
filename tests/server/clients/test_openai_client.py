"""OpenAI's own client: `embeddings.create`, `models.list` and `models.retrieve`, sync and async, errors and retries."""

import asyncio
import base64

import httpx
import numpy as np
import openai
import pytest

from tests.server.clients.conftest import TEXTS
from tests.servers import Answer, serving


@pytest.fixture
def client(target):
    with openai.OpenAI(base_url=f"{target.url}/v1", api_key="none") as made:
        yield made


def test_one_text_and_several(client, target):
    several = client.embeddings.create(model=target.model, input=TEXTS)
    assert target.like([one.embedding for one in several.data]) and [one.index for one in several.data] == [0, 1, 2]
    assert several.usage.prompt_tokens > 0 and several.object == "list"
    one = client.embeddings.create(model=target.model, input=TEXTS[0])
    assert target.like(one.data[0].embedding, 0)


def test_both_encodings(client, target):
    plain = client.embeddings.create(model=target.model, input=TEXTS, encoding_format="float")
    assert target.like([one.embedding for one in plain.data])
    packed = client.embeddings.create(model=target.model, input=TEXTS, encoding_format="base64")
    assert target.like([np.frombuffer(base64.b64decode(one.embedding), "<f4") for one in packed.data])


def test_fields_that_say_nothing(client, target):
    made = client.embeddings.create(model=target.model, input=TEXTS[0], user="somebody")
    assert target.like(made.data[0].embedding, 0)
    made = client.embeddings.create(model=target.model, input=TEXTS[0], dimensions=None, user=None)
    assert target.like(made.data[0].embedding, 0)


def test_the_models(client, target):
    listed = [one.id for one in client.models.list()]
    assert listed and client.models.list().data[0].object == "model"
    if target.is_ours:
        assert client.models.retrieve(listed[0]).id == listed[0]
        assert client.models.retrieve("minilm").id == listed[0]


def test_asyncio(target):
    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{target.url}/v1", api_key="none") as client:
            made = await asyncio.gather(*(client.embeddings.create(model=target.model, input=one) for one in TEXTS))
            listed = [one.id async for one in client.models.list()]
        return [one.data[0].embedding for one in made], listed

    vectors, listed = asyncio.run(ask())
    assert target.like(vectors) and listed


def test_errors_are_those_that_programs_catch(client, target):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=target.model, input=[])
    assert caught.value.type == "invalid_request_error"
    if not target.is_ours:
        return
    assert caught.value.code == "input_empty" and caught.value.param == "input"
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="text-embedding-none", input="a")
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        client.embeddings.create(model=target.model, input="a", dimensions=128)
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length"):
        client.embeddings.create(model=target.model, input=[[9906, 1917]])


def test_azure(ours):
    with openai.AzureOpenAI(azure_endpoint=ours.url, api_key="none", api_version="2024-10-21") as client:
        made = client.embeddings.create(model="minilm", input=TEXTS)
        assert ours.like([one.embedding for one in made.data])


def test_roles_are_an_extra_field(ours):
    with openai.OpenAI(base_url=f"{ours.url}/v1", api_key="none") as client:
        made = client.embeddings.create(model="minilm", input=TEXTS, extra_body={"input_type": "query"})
        assert ours.like([one.embedding for one in made.data])


def test_a_server_that_is_busy_is_asked_again(ours):
    """What the server says of its load (429, Retry-After) is what the client waits for: a proxy stands for the load."""
    refused = {"error": {"message": "busy", "type": "rate_limit_error", "param": None, "code": "overloaded"}}
    turns = iter([Answer(refused, 429, {"retry-after-ms": "1"})])

    def handle(request):
        if (busy := next(turns, None)) is not None:
            return busy
        passed = httpx.post(
            f"{ours.url}{request.path}", content=request.body, headers={"content-type": "application/json"}
        )
        return Answer(passed.content, passed.status_code)

    with serving(handle) as proxy, openai.OpenAI(base_url=f"{proxy.url}/v1", api_key="none") as client:
        made = client.embeddings.create(model="minilm", input=TEXTS)
        assert ours.like([one.embedding for one in made.data]) and len(proxy.received) == 2
