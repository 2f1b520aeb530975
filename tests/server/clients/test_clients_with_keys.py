"""Official clients and a server with keys: each sends the key in its own way, and knows what a refusal means.

A key is for models, whatever the dialect, and its limit is what a client waits for.
"""

import cohere
import ollama
import openai
import pytest
import voyageai
from cohere.errors import ForbiddenError, TooManyRequestsError, UnauthorizedError
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from voyageai.error import AuthenticationError, VoyageError

from embassay.config.values import Config, EmbeddingsConfig, RerankingConfig
from embassay.server.keys.key import Grant
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.store import KeyStore
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.conftest import running

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with two models and a reranker, and keys: for one model, for all, and for two requests a minute."""
    folder = tmp_path_factory.mktemp("guarded")
    write_cross_encoder(folder / "tiny", SHAPES["bert"])
    models = {"words": {"provider": "hash", "dimensions": 64}, "other": {"provider": "hash", "dimensions": 128}}
    config = Config(
        embeddings=EmbeddingsConfig(models=models, default_model="words", fallback_chain=["other", "words"]),
        reranking=RerankingConfig(models={"tiny": {"model_id": str(folder / "tiny"), "precision": "f32"}}),
    )
    with running(folder / ".embassay", config=config) as found:
        keys = KeyStore(found.home.folder)
        found.one = keys.create("one", Grant(models=("words",)))[1]
        found.all = keys.create("all", Grant())[1]
        found.few = keys.create("few", Grant(rates=PerMinute(requests=2)))[1]
        yield found


def test_openai_and_azure(guarded):
    for key, refused in ((guarded.one, None), ("ek_none", openai.AuthenticationError)):
        clients = (
            openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=key, max_retries=0),
            openai.AzureOpenAI(azure_endpoint=guarded.url, api_key=key, api_version="2024-10-21", max_retries=0),
        )
        for client in clients:
            if refused is None:
                assert len(client.embeddings.create(model="words", input=TEXTS).data) == 2
                with pytest.raises(openai.PermissionDeniedError):
                    client.embeddings.create(model="other", input=TEXTS)
                continue
            with pytest.raises(refused) as caught:
                client.embeddings.create(model="words", input=TEXTS)
            assert caught.value.code == "invalid_api_key" and key not in str(caught.value)


def test_cohere(guarded):
    client = cohere.ClientV2(api_key=guarded.one, base_url=guarded.url)
    asked = {"texts": TEXTS, "input_type": "search_query", "embedding_types": ["float"]}
    assert client.embed(model="words", **asked).embeddings.float_
    with pytest.raises(ForbiddenError):
        client.embed(model="other", **asked)
    with pytest.raises(ForbiddenError):
        client.rerank(model="tiny", query="a", documents=["b"])
    every = cohere.ClientV2(api_key=guarded.all, base_url=guarded.url)
    assert every.rerank(model="tiny", query="a", documents=["b"]).results
    with pytest.raises(UnauthorizedError):
        cohere.ClientV2(api_key="ek_none", base_url=guarded.url).embed(model="words", **asked)


def test_voyage(guarded):
    client = voyageai.Client(api_key=guarded.one, base_url=f"{guarded.url}/v1", max_retries=1)
    assert len(client.embed(TEXTS, model="words").embeddings) == 2
    with pytest.raises(VoyageError, match="may not use"):
        client.rerank("a", ["b"], model="tiny")
    with pytest.raises(AuthenticationError):
        voyageai.Client(api_key="ek_none", base_url=f"{guarded.url}/v1", max_retries=1).embed(TEXTS, model="words")


def test_hugging_face(guarded):
    assert InferenceClient(guarded.url, token=guarded.one).feature_extraction(TEXTS).shape == (2, 64)
    with pytest.raises(HfHubHTTPError) as caught:
        InferenceClient(guarded.url, token="ek_none").feature_extraction(TEXTS)
    assert caught.value.response.status_code == 401


def test_ollama(guarded):
    client = ollama.Client(host=guarded.url, headers={"Authorization": f"Bearer {guarded.one}"})
    assert len(client.embed(model="words", input=TEXTS).embeddings) == 2
    assert {one.model for one in client.list().models} == {"words:latest"}
    for name in ("other", "none"):
        with pytest.raises(ollama.ResponseError) as caught:
            client.show(name)
        assert caught.value.status_code in (403, 404)
    with pytest.raises(ollama.ResponseError) as caught:
        ollama.Client(host=guarded.url).embed(model="words", input=TEXTS)
    assert caught.value.status_code == 401


def test_nobody_stands_in_whom_the_key_does_not_allow(guarded):
    import httpx

    for key, model in ((guarded.one, "words"), (guarded.all, "other")):
        headers = {"authorization": f"Bearer {key}"}
        asked = {"text": "a", "use_fallback": True}
        made = httpx.post(f"{guarded.url}/v1/embeddings/generate", json=asked, headers=headers)
        assert made.status_code == 200 and made.json()["model"] == model, made.text


def test_a_limit_is_what_clients_wait_for(guarded):
    client = openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=guarded.few, max_retries=0)
    for _ in range(2):
        client.embeddings.create(model="words", input="a")
    with pytest.raises(openai.RateLimitError) as caught:
        client.embeddings.create(model="words", input="a")
    assert caught.value.code == "rate_limit_exceeded" and 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    with pytest.raises(TooManyRequestsError):
        asked = {"texts": TEXTS, "input_type": "search_query", "embedding_types": ["float"]}
        options = {"max_retries": 0}
        cohere.ClientV2(api_key=guarded.few, base_url=guarded.url).embed(
            model="words", **asked, request_options=options
        )
