"""Our own providers against our own server: whatever the dialect, vectors and scores are those of the model behind it."""

import numpy as np
import pytest

from embassay.config.values import Config, EmbeddingsConfig, RerankingConfig
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import made_home
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.conftest import DOCUMENTS, running

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat, holding hands.", "query: is a word like others"]
QUERY = "rotate the key"
PROMPTS = {"query_prompt": "query: ", "document_prompt": "passage: "}
EMBEDDERS = {
    "openai": {"base_url": "URL/v1", "encoding_format": "base64", **PROMPTS},
    "azure": {"provider": "openai", "base_url": "URL", "deployment": "near", "api_key": "a-key", **PROMPTS},
    "openai-by-fields": {
        "provider": "openai",
        "base_url": "URL/v1",
        "query_body": {"input_type": "query"},
        "document_body": {"input_type": "document"},
    },
    "cohere": {"base_url": "URL"},
    "voyage": {"base_url": "URL/v1"},
    "jina": {"base_url": "URL/v1"},
    "mistral": {"base_url": "URL/v1", **PROMPTS},
    "tei": {"base_url": "URL", **PROMPTS},
    "ollama": {"base_url": "URL", **PROMPTS},
    "http": {"base_url": "URL", "role_key": "input_type", "max_tokens": 256},
}
RERANKERS = {
    "cohere": {"base_url": "URL"},
    "jina": {"base_url": "URL"},
    "voyage": {"base_url": "URL/v1"},
    "tei": {"base_url": "URL"},
    "vllm": {"base_url": "URL/v1"},
    "vllm-rerank": {"provider": "vllm", "base_url": "URL/v1", "path": "rerank"},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server whose default model puts another prompt before queries than before documents, and a reranker."""
    folder = tmp_path_factory.mktemp("own")
    write_cross_encoder(folder / "tiny", SHAPES["bert"])
    embeddings = EmbeddingsConfig(default_model="near", models={"near": {"model_id": MODEL, **PROMPTS}})
    reranking = RerankingConfig(models={"tiny": {"model_id": str(folder / "tiny"), "precision": "f32"}})
    with running(folder / ".embassay", config=Config(embeddings=embeddings, reranking=reranking)) as found:
        found.home.set("animals").upsert(DOCUMENTS)
        yield found


def settings(name, given, url, model):
    own = {"provider": name, "model_id": model, "api_key": "none"} | given
    return {key: value.replace("URL", url) if isinstance(value, str) else value for key, value in own.items()}


@pytest.fixture(params=EMBEDDERS)
def far(request, served, tmp_path):
    """A home of a client, whose model is the one behind the server."""
    chosen = settings(request.param, EMBEDDERS[request.param], served.url, "near")
    config = Config(embeddings=EmbeddingsConfig(default_model="far", models={"far": chosen}))
    place = made_home(tmp_path / ".embassay")
    with Session(config, cache_file=place.cache_file) as session, Home(place, session) as home:
        yield home


def test_vectors_are_those_of_the_model_in_both_roles(served, far):
    model = far.session.models.get("far")
    near = served.home.session.models.get("near")
    for role in ("query", "document"):
        texts = TEXTS[:2] if role == "query" else TEXTS
        assert np.allclose(model.embed(texts, role).vectors, near.embed(texts, role).vectors, atol=2e-3)


def test_a_set_of_its_vectors_finds_what_the_set_behind_it_finds(served, far):
    far.set("animals").upsert(DOCUMENTS)
    for query in ("who holds hands", "when are keys rotated"):
        ours = {
            hit.chunk.document: hit.arms["dense"].score
            for hit in served.home.search(query, set="animals", mode="dense").hits
        }
        theirs = {
            hit.chunk.document: hit.arms["dense"].score for hit in far.search(query, set="animals", mode="dense").hits
        }
        assert list(ours) == list(theirs) and theirs == pytest.approx(ours, abs=5e-3)


def test_a_long_text_is_cut_until_it_fits_and_flagged(far):
    made = far.session.models.get("far").embed(["short", "antidisestablishmentarianism " * 200], "document")
    assert list(made.truncated) == [False, True]


@pytest.mark.parametrize("name", RERANKERS)
def test_scores_are_those_of_the_reranker(served, name, tmp_path):
    chosen = settings(name, RERANKERS[name], served.url, "tiny")
    with Session(
        Config(reranking=RerankingConfig(models={"far": chosen})), cache_file=tmp_path / "cache.db"
    ) as session:
        made = session.rerank(QUERY, TEXTS, model="far")
    known = served.home.session.rerank(QUERY, TEXTS, model="tiny")
    assert made.order == known.order and made.scores == pytest.approx(known.scores, abs=1e-5)
