"""The registry's dialect, and the small service's, over a real server with models of two spaces."""

import numpy as np
import pytest

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.server.keys.principal import Principal
from tests.server.conftest import running
from tests.servers import Answer, hash_openai, serving

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


class Flaky:
    """An OpenAI-compatible service that a test may take down."""

    def __init__(self):
        self.down = False
        self.well = hash_openai()

    def __call__(self, request):
        return Answer({"error": {"message": "gone"}}, 500) if self.down else self.well(request)


@pytest.fixture(scope="module")
def service():
    return Flaky()


@pytest.fixture(scope="module")
def served(tmp_path_factory, service):
    with serving(service) as hosted:
        small = {
            "provider": "openai",
            "base_url": f"{hosted.url}/v1",
            "api_key": "none",
            "model_id": "small",
            "retries": 0,
        }
        config = Config(
            embeddings=EmbeddingsConfig(
                models={"small": small | {"cache_enabled": False}}, fallback_chain=["small", DEFAULT]
            )
        )
        with running(tmp_path_factory.mktemp("registry") / ".embassay", config=config) as found:
            yield found


@pytest.fixture(autouse=True)
def up(service):
    service.down = False


def generate(client, **fields):
    return client.post("/v1/embeddings/generate", json=fields)


def test_the_model_that_was_asked_for_answers(client):
    made = generate(client, text=TEXTS[1], model="small").json()
    assert np.allclose(made["embedding"], hashed([TEXTS[1]], 64)[0], atol=1e-6)
    assert (made["model"], made["requested_model"], made["fallback_used"]) == ("small", "small", False)
    assert made["dimensions"] == made["space"]["dimensions"] == 64 and len(made["space"]["digest"]) == 12
    known = embassay.embed(TEXTS, "document")
    made = generate(client, text=TEXTS).json()
    assert made["model"] == DEFAULT and np.allclose(made["embeddings"], known.vectors, atol=2e-3)
    assert made["embedding"] == made["embeddings"][0] and made["space"]["digest"] == known.space.digest


def test_another_model_answers_only_where_that_is_asked_for_and_is_named(client, service):
    whole = generate(client, text="test", use_fallback=True).json()
    assert (whole["model"], whole["fallback_used"], whole["dimensions"]) == ("small", False, 64)
    service.down = True
    refused = generate(client, text="test", model="small")
    assert refused.status_code == 503 and refused.json()["error"]["code"] == "provider_down"
    stood_in = generate(client, text="test", model="small", use_fallback=True).json()
    assert stood_in["model"] == DEFAULT and stood_in["requested_model"] == "small" and stood_in["fallback_used"]
    assert stood_in["dimensions"] == 384 and stood_in["space"]["digest"] != whole["space"]["digest"]


def test_a_key_without_the_right_to_a_model_gets_none_of_its_vectors(served):
    own = Principal("1", "own", "read", models=frozenset({DEFAULT}))
    assert served.server.service.models.chain("", own) == [DEFAULT]
    assert "small" not in served.server.service.models.called(own)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"text": ""}, 400, "input_empty"),
        ({}, 400, "request_invalid"),
        ({"text": "a", "model": "nobody"}, 404, "model_not_found"),
        ({"text": "a", "input_type": "clustering"}, 400, "request_invalid"),
        ({"text": "a", "input_type": "clustering", "use_fallback": True}, 400, "request_invalid"),
    ],
)
def test_what_is_wrong_is_said(client, fields, status, code):
    reply = generate(client, **fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, code)
    if "input_type" in fields:
        assert "query" in error["message"] and "document" in error["message"]


def test_nobody_stands_in_without_a_chain(tmp_path):
    import httpx

    with running(tmp_path / ".embassay", config=Config()) as alone:
        reply = httpx.post(f"{alone.url}/v1/embeddings/generate", json={"text": "a", "use_fallback": True})
        assert reply.status_code == 400 and "fallback_chain" in reply.json()["error"]["remedy"]


def test_the_small_service(client):
    known = embassay.embed(TEXTS, "document").vectors
    made = client.post("/encode", json={"texts": TEXTS}).json()
    assert np.allclose(made["embeddings"], known, atol=2e-3) and made["dimensions"] == 384
    assert made["truncated"] == [False, False]
    assert client.post("/encode", json={"texts": "word " * 600}).json()["truncated"] == [True]
    for wrong in ([], [""], ["a", ""]):
        reply = client.post("/encode", json={"texts": wrong})
        assert reply.status_code == 400 and isinstance(reply.json()["detail"], str)
