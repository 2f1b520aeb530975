from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from embassay.catalog.catalog import shipped
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import ConfigError, DimensionsRefused, ModelNotFound
from embassay.models.reference import parse_reference, provider_of
from embassay.models.registry import Registry
from tests.servers import Answer, hash_openai, serving


def registry(tmp_path, **models) -> Registry:
    config = Config(embeddings=EmbeddingsConfig(models=models))
    return Registry(config, cache_file=tmp_path / "cache.db")


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("openai/text-embedding-3-small", "openai", "text-embedding-3-small"),
        ("voyage/voyage-3.5", "voyage", "voyage-3.5"),
        ("google/gemini-embedding-001", "google", "gemini-embedding-001"),
        ("google/embeddinggemma-300m", "local", "google/embeddinggemma-300m"),
        ("BAAI/bge-small-en-v1.5", "local", "BAAI/bge-small-en-v1.5"),
        ("someone/never-seen", "local", "someone/never-seen"),
        ("sentence-transformers/all-MiniLM-L6-v2", "local", "sentence-transformers/all-MiniLM-L6-v2"),
        ("sentence-transformers/some-new-model", "local", "sentence-transformers/some-new-model"),
        ("sentence-transformers/BAAI/bge-m3", "sentence-transformers", "BAAI/bge-m3"),
        ("ollama/bge-m3", "ollama", "bge-m3"),
        ("tei/BAAI/bge-m3", "tei", "BAAI/bge-m3"),
        ("huggingface/intfloat/e5-small-v2", "huggingface", "intfloat/e5-small-v2"),
        ("bedrock/amazon.titan-embed-text-v2:0", "bedrock", "amazon.titan-embed-text-v2:0"),
        ("hash/128", "hash", "128"),
        ("hash", "hash", ""),
        ("onnx/Xenova/all-MiniLM-L6-v2", "onnx", "Xenova/all-MiniLM-L6-v2"),
    ],
)  # fmt: skip
def test_how_models_are_written(model, provider, name):
    assert provider_of(model, shipped()) == (provider, name)


def test_a_folder_is_local(tmp_path):
    assert provider_of(str(tmp_path), shipped()) == ("local", str(tmp_path))


def test_references():
    reference = parse_reference("openai/text-embedding-3-small@dims=256@int8")
    assert (reference.base, reference.options) == (
        "openai/text-embedding-3-small",
        {"dimensions": 256, "precision": "int8"},
    )
    assert parse_reference("textembedding-gecko@003").base == "textembedding-gecko@003"


def test_names_that_are_nearly_right(tmp_path):
    models = registry(tmp_path, minilm={"provider": "local"})
    with pytest.raises(ModelNotFound, match=r"no model is called 'minlm'. Did you mean 'minilm'\?"):
        models.get("minlm")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("opnai/text-embedding-3-small", "Did you mean 'openai/text-embedding-3-small'?"),
        ("opnai/made-last-week", "Did you mean 'openai/made-last-week'?"),
        ("intfloat/e5-smal-v2", "Did you mean 'intfloat/e5-small-v2'?"),
        ("mini-lm", "Did you mean 'minilm'?"),
        ("bge", "Did you mean 'BAAI/bge-small-en-v1.5', 'BAAI/bge-base-en-v1.5', "),
        ("mistralai/never-seen", ""),
        ("somebody/never-seen", ""),
        ("nonsense", ""),
    ],
)
def test_what_was_probably_meant(name, meant, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with registry(tmp_path) as models, pytest.raises(ModelNotFound) as unknown:
        models.get(name)
    assert meant in str(unknown.value) and ("Did you mean" in str(unknown.value)) == bool(meant)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("voyage/voyage-4.5", "no card describes voyage-4.5. Did you mean "),
        ("openai/text-embedding-4-small", "Did you mean 'openai/text-embedding-3-small'?"),
        ("voyage/voyage-3.5", ""),
        ("openai/something-else-entirely", ""),
    ],
)
def test_a_model_that_its_service_probably_does_not_have(name, meant, tmp_path):
    """It is no error: a service has new models before there are cards of them."""
    with registry(tmp_path) as models:
        assert meant in models.advice(name) and bool(models.advice(name)) == bool(meant)


def test_a_server_of_ones_own_may_call_its_models_as_it_likes(tmp_path):
    own = {"provider": "openai", "base_url": "http://localhost:1/v1", "model_id": "text-embedding-3-smal"}
    with registry(tmp_path, own=own) as models:
        assert "Did you mean" not in models.advice("own")


def test_opened_once_by_many_threads(tmp_path):
    """The first caller is held while it opens the model, until all others have asked for it."""
    threads = 16
    opened = []
    everybody = threading.Barrier(threads, timeout=30)

    def held():
        opened.append(threading.get_ident())
        everybody.wait()
        return HashEmbedder(64)

    models = registry(tmp_path)
    models.register("held", held)
    assert opened == []

    def get(number: int):
        if number:
            everybody.wait()
        return models.get("held")

    with ThreadPoolExecutor(threads) as pool:
        made = list(pool.map(get, range(threads)))
    assert len(opened) == 1
    assert len({id(m) for m in made}) == 1


def test_two_models_open_side_by_side(tmp_path):
    models = registry(tmp_path)
    both = threading.Barrier(2, timeout=5)

    def open_one():
        both.wait()  # breaks unless the other one is being opened at the same time
        return HashEmbedder(64)

    models.register("a", open_one)
    models.register("b", open_one)
    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(models.get, ["a", "b"]))) == 2


def test_dimensions_are_sent_only_where_the_model_allows_it(tmp_path):
    with serving(hash_openai(64)) as server:
        base = {"provider": "openai", "base_url": f"{server.url}/v1", "max_tokens": 512}
        models = registry(
            tmp_path,
            official={"provider": "openai", "model_id": "text-embedding-3-small", "dimensions": 512},
            served={**base, "model_id": "nomic-ai/nomic-embed-text-v1.5", "dimensions": 64},
            plain={**base, "model_id": "BAAI/bge-m3", "dimensions": 256},
            unknown={**base, "model_id": "ours", "dimensions": 256},
            ada={"provider": "openai", "model_id": "text-embedding-ada-002", "dimensions": 256},
        )
        official = models.bare("official")
        assert official.api.request(["a"], "query").body["dimensions"] == 512
        assert official.space.transform == "matryoshka"
        served = models.bare("served")
        assert "dimensions" not in served.inner.api.request(["a"], "query").body
        assert served.space.dimensions == 64
        for name, words in (
            ("plain", r"not trained to be cut .*Allowed: 1024"),
            ("unknown", "nothing is known"),
            ("ada", "1536"),
        ):
            with pytest.raises(DimensionsRefused, match=words):
                models.bare(name)


def test_what_is_paid_for_is_cached_unless_told_otherwise(tmp_path):
    with serving(hash_openai(64)) as server:
        base = {"provider": "openai", "base_url": f"{server.url}/v1", "model_id": "m", "max_tokens": 512}
        models = registry(tmp_path, on=base, off={**base, "cache_enabled": False}, plain={"provider": "hash"})
        for name, expected in (
            ("on", 2),
            ("off", 4),
            ("plain", 4),
        ):  # a model without a card is asked for its dimensions
            models.get(name).embed(["a"], "query")
            models.get(name).embed(["a"], "query")
            assert len(server.received) == expected
        assert models.cache.stats().entries == 1, "the text; the canaries that told the dimensions lie elsewhere"
        models.close()
        assert models.get("on").embed(["a"], "query").usage.cached == 1, "closed cleanly, opened again"


def test_servers_of_one_name_do_not_share_vectors(tmp_path):
    """Two services may call different weights by one name; a revision says that they are the same."""
    with serving(hash_openai(64)) as one, serving(hash_openai(64)) as two:
        base = {"provider": "openai", "model_id": "m", "max_tokens": 512}
        models = registry(
            tmp_path,
            one={**base, "base_url": one.url}, two={**base, "base_url": two.url},
            three={**base, "base_url": one.url, "revision": "r1"}, four={**base, "base_url": two.url, "revision": "r1"},
        )  # fmt: skip
        spaces = [models.get(n).space for n in ("one", "two", "three", "four")]
        assert spaces[0] != spaces[1]
        assert spaces[2] == spaces[3]


def test_health_of_all(tmp_path):
    with serving(hash_openai(64)) as server:
        base = {"provider": "openai", "model_id": "m", "max_tokens": 512, "retries": 0}
        models = registry(
            tmp_path,
            up={**base, "base_url": server.url},
            down={**base, "base_url": "http://127.0.0.1:9"},
            h={"provider": "hash"},
        )
        health = models.health()
    assert {name: h.ok for name, h in health.items()} == {"up": True, "down": False, "h": True}
    assert "did not answer" in health["down"].message


def test_health_is_not_read_from_the_cache(tmp_path):
    with serving(hash_openai(64)) as server:
        models = registry(
            tmp_path,
            m={"provider": "openai", "model_id": "m", "base_url": server.url, "max_tokens": 512, "retries": 0},
        )
        assert models.health()["m"].ok
        asked = len(server.received)
        server.handle = lambda request: Answer(b"", 500)
        assert not models.health()["m"].ok
        assert len(server.received) > asked


def test_a_card_can_be_named(tmp_path):
    base = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "model_id": "deployment-7"}
    models = registry(
        tmp_path, named={**base, "card": "intfloat/e5-small-v2"}, wrong={**base, "card": "intfloat/e5-smal-v2"}
    )
    embedder = models.bare("named")
    assert (embedder.space.dimensions, embedder.tokens.max_tokens) == (384, 512)
    assert embedder.space.query_prompt == "query: "
    with pytest.raises(ConfigError, match="Did you mean 'intfloat/e5-small-v2'"):
        models.bare("wrong")


def test_prompts_of_cards_reach_local_models(tmp_path):
    """Repositories of e5 state no prompts; the card knows them, and the user may overrule it."""
    from tests.tiny import CASES, write_model

    folder = str(write_model(tmp_path / "m", CASES["bert"]))
    models = registry(
        tmp_path,
        e5={"model_id": folder, "card": "intfloat/e5-small-v2", "precision": "f32"},
        own={"model_id": folder, "card": "intfloat/e5-small-v2", "query_prompt": "", "precision": "f32"},
        bare={"model_id": folder, "precision": "f32"},
    )
    texts = ["rotate the key"]
    e5, own, bare = (models.get(n) for n in ("e5", "own", "bare"))
    assert (e5.embed(texts, "query").vectors == bare.embed(["query: rotate the key"], "query").vectors).all()
    assert (own.embed(texts, "query").vectors == bare.embed(texts, "query").vectors).all()
    assert len({e5.space, own.space, bare.space}) == 3


def test_what_was_handed_over_opened_stays_open(tmp_path):
    class Closing(HashEmbedder):
        closed = 0

        def close(self):
            self.closed += 1

    ours, theirs = Closing(64), Closing(64)
    models = registry(tmp_path)
    models.register("ours", lambda: ours)
    models.register("theirs", theirs)
    models.get("ours"), models.get("theirs")
    models.close()
    assert (ours.closed, theirs.closed) == (1, 0)
    models.get("ours"), models.get("theirs")
    models.register("ours", HashEmbedder(128))
    models.register("theirs", HashEmbedder(128))
    assert (ours.closed, theirs.closed) == (2, 0)
    assert models.get("ours").space.dimensions == 128


def test_a_budget_that_is_handed_in_is_shared(tmp_path):
    from embassay.embedders.wrap.budget import Budget

    budget = Budget(1.0)
    config = Config(embeddings=EmbeddingsConfig(spend_cap_usd=5.0))
    assert Registry(config, budget=budget).budget is budget
    assert Registry(config).budget.usd == 5.0
    assert not Registry(Config()).budget.is_capped


def test_cuts_are_kept_where_vectors_are(tmp_path):
    config = Config(embeddings=EmbeddingsConfig(models={"off": {"provider": "hash", "cache_enabled": False}}))
    with Registry(config, cache_file=tmp_path / "c.db") as models:
        assert models.cuts("hash/64") is None
        assert models.cuts("openai/text-embedding-3-small") is models.cache
        models.register("own", HashEmbedder(64))
        assert models.cuts("own") is None
    with Registry(config, cache_file=tmp_path / "c.db", keep_local=True) as models:
        assert models.cuts("hash/64") is models.cache
        assert models.cuts("off") is None


def test_a_model_that_needs_no_model_id_has_its_provider_as_its_name(tmp_path):
    models = registry(tmp_path)
    assert models.settings("hash").model_id == ""
    assert models.settings("local").model_id == "sentence-transformers/all-MiniLM-L6-v2"
    assert models.card("local").id == "sentence-transformers/all-MiniLM-L6-v2"
    with pytest.raises(ModelNotFound, match="no model is called 'openai'"):
        models.settings("openai")


def test_digits_of_a_reference():
    from embassay.models.reference import Reference, parse_reference

    assert parse_reference("a@dims=256") == Reference("a", {"dimensions": 256})
    assert parse_reference("a@int8@dims=256") == Reference("a", {"precision": "int8", "dimensions": 256})
    for odd in ("a@dims=²", "a@dims=" + "9" * 5000, "a@dims=", "a@dims=٣"):
        assert parse_reference(odd) == Reference(odd)
