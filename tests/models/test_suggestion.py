"""Which card is offered for a served model that has none."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped, shipped_ids
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.settings import HttpSettings
from embassay.errors import ModelNotFound
from embassay.models.provider import provider_names
from embassay.models.suggestion import misspelt_ids, suggested_card
from embassay.session import Session
from tests.servers import hash_openai, serving

SMALL = "intfloat/multilingual-e5-small"


@pytest.mark.parametrize(
    ("model_id", "card"),
    [
        ("multilingual-e5-small", SMALL),
        ("Multilingual_E5_Small", SMALL),
        ("multilingual-e5-small-q8_0.gguf", SMALL),
        ("multilingual-e5-small.Q4_K_M.gguf", SMALL),
        ("/models/multilingual-e5-small/", SMALL),
        ("C:\\models\\multilingual-e5-small-f16.gguf", SMALL),
        ("text-embedding-multilingual-e5-small", SMALL),
        ("multilingual-e5-small:latest", SMALL),
        ("multilingal-e5-small", SMALL),
        ("somebody/multilingual-e5-base-onnx", "intfloat/multilingual-e5-base"),
        ("nomic-embed-text:v1.5", "nomic-ai/nomic-embed-text-v1.5"),
        ("Qwen3-Embedding-0.6B-Q8_0.gguf", "Qwen/Qwen3-Embedding-0.6B"),
        ("snowflake-arctic-embed-m", "Snowflake/snowflake-arctic-embed-m"),
        ("bge-m3", "BAAI/bge-m3"),
        ("multilingual-e5-tiny", ""),
        ("multilingual-e5-small-v2", ""),
        ("e5", ""),
        ("text-embedding-3-small", ""),
        ("tickets-v2", ""),
        ("default", ""),
        ("", ""),
    ],
)
def test_names_of_served_models(model_id, card):
    found = suggested_card(HttpSettings(model_id=model_id), shipped().models.values())
    assert (found.id if found else "") == card


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("voyage/voyage-35", ["voyage/voyage-3.5"]),
        ("openai/text-embeding-3-small", ["openai/text-embedding-3-small"]),
        ("opnai/text-embedding-3-small", ["openai/text-embedding-3-small"]),
        ("opnai/text-embeding-3-small", ["openai/text-embedding-3-small"]),
        ("cohere/embed-multilingual-v3", ["cohere/embed-multilingual-v3.0"]),
        ("BAAI/bge-smal-en-v1.5", ["BAAI/bge-small-en-v1.5"]),
        ("baai/bge-small-en-v1.5", ["BAAI/bge-small-en-v1.5"]),
        ("voyage/voyage-4.5", []),
        ("openai/text-embedding-4-small", []),
        ("openai/text-embedding-3-mini", []),
        ("openai/brand-new-9", []),
        ("sentence-transformers/multi-qa-mpnet-base-cos-v1", []),
        ("BAAI/bge-small-en", []),
        ("BAAI/bge-base-fr-v1.5", []),
        ("somebody/bge-small-en-v1.5", []),
        ("mistralai/embed", []),
        ("openai/text-embedding-3-small", []),
        ("minilm", []),
        ("/", []),
    ],
)
def test_a_misspelt_name_is_told_from_a_model_of_its_own(name, meant):
    assert misspelt_ids(name, shipped_ids(), provider_names()) == meant


def test_ids_without_their_cards_are_those_of_the_cards():
    catalog = shipped()
    assert set(shipped_ids()) == {*catalog.models, *catalog.rerankers}
    named = [name for name in shipped_ids() if misspelt_ids(name, shipped_ids(), provider_names())]
    assert not named, "no model of the catalog is refused as another one"
    for name in shipped_ids():
        others = [one for one in shipped_ids() if one != name]
        assert not misspelt_ids(name, others, provider_names()), "nor would be one that is added"


@pytest.mark.parametrize("name", ["voyage/voyage-35", "opnai/text-embedding-3-small", "BAAI/bge-smal-en-v1.5@int8"])
def test_a_misspelt_name_is_refused_before_a_key_is_asked_for(name, monkeypatch):
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    with Session(Config()) as opened:
        for call in (opened.models.get, opened.models.settings, opened.models.card):
            with pytest.raises(ModelNotFound, match="no model is called") as refused:
                call(name)
            assert "Did you mean" in str(refused.value.remedy) and "embassay.yaml" in str(refused.value.remedy)


def test_a_configured_model_of_such_a_name_is_left_alone():
    models = {"new": {"provider": "voyage", "model_id": "voyage-35", "api_key": "k"}}
    with Session(Config(embeddings=EmbeddingsConfig(models=models))) as opened:
        assert opened.models.settings("new").model_id == "voyage-35"


def session(url: str, **settings: object) -> Session:
    served = {"provider": "openai", "model_id": "multilingual-e5-small", "base_url": f"{url}/v1", **settings}
    return Session(Config(embeddings=EmbeddingsConfig(default_model="served", models={"served": served})))


def test_a_model_without_its_card_is_told_once_and_with_it_has_its_prompts(tmp_path):
    with serving(hash_openai(384)) as server:
        with session(server.url, cache_enabled=False, canaries=False) as opened:
            for _ in range(2):
                opened.models.get("served").embed(["a text"], "query")
            (notice,) = opened.notices
            assert notice.startswith("served: no card describes multilingual-e5-small") and f"card: {SMALL}" in notice
        assert all(received.json["input"] == ["a text"] for received in server.received)
        server.received.clear()
        with session(server.url, cache_enabled=False, canaries=False, card=SMALL) as opened:
            opened.models.get("served").embed(["a text"], "query")
            assert opened.notices == ()
        assert server.received[-1].json["input"] == ["query: a text"]


@pytest.mark.parametrize("said", [{"query_prompt": ""}, {"document_body": {"input_type": "passage"}}])
def test_whoever_has_set_the_roles_is_left_alone(said):
    with session("http://127.0.0.1:9", **said) as opened:
        opened.models.get("served")
        assert opened.notices == ()


def test_a_server_is_told_the_role_by_a_field_which_is_part_of_the_space():
    fields = {"query_body": {"input_type": "query"}, "document_body": {"input_type": "passage"}}
    spaces = []
    with serving(hash_openai(384)) as server:
        for said in ({}, {"query_body": fields["query_body"]}, fields, {**fields, "card": SMALL}):
            with session(server.url, cache_enabled=False, canaries=False, **said) as opened:
                model = opened.models.get("served")
                server.received.clear()
                model.embed(["a text"], "query")
                model.embed(["a text"], "document")
                spaces.append(model.space)
                sent = [(r.json["input"], r.json.get("input_type")) for r in server.received if "input" in r.json]
                if said == fields or "card" in said:
                    assert sent == [(["a text"], "query"), (["a text"], "passage")], "and no prompt besides"
    assert len({space.digest for space in spaces}) == len(spaces)
    assert spaces[2].query_prompt == "query by parameter"
