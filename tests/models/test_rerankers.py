"""Names of rerankers: what stands behind each, and what is said of one that leads nowhere."""

from __future__ import annotations

import pytest

from embassay.config.reading import checked
from embassay.config.values import Config
from embassay.errors import ConfigError, ModelNotFound, PluginError, UsageError
from embassay.models.registry import Registry


@pytest.fixture
def named(tmp_path):
    made = []

    def rerankers(**models):
        raw = {"reranking": {"models": models}}
        made.append(Registry(checked(raw, Config, "test"), cache_file=tmp_path / "cache.db"))
        return made[-1].rerankers

    yield rerankers
    for registry in made:
        registry.close()


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("cohere/rerank-v3.5", "cohere", "rerank-v3.5"),
        ("cohere/rerank-of-2030", "cohere", "rerank-of-2030"),
        ("jinaai/jina-reranker-v3", "local", "jinaai/jina-reranker-v3"),
        ("jina/jina-reranker-v3", "jina", "jina-reranker-v3"),
        ("BAAI/bge-reranker-v2-m3", "local", "BAAI/bge-reranker-v2-m3"),
        ("some-body/reranker", "local", "some-body/reranker"),
        ("vllm/BAAI/bge-reranker-v2-m3", "vllm", "BAAI/bge-reranker-v2-m3"),
        ("llm/gpt-5-mini", "llm", "gpt-5-mini"),
    ],
)
def test_a_name_says_who_runs_what(name, provider, model, named, monkeypatch):
    if provider == "local":
        pytest.importorskip("embassay.reranking.rerankers.local")
    found = named().settings(name)
    assert (found.provider, found.model_id) == (provider, model)


def test_a_server_is_written_as_its_address(named):
    found = named().settings("tei/http://localhost:8080")
    assert (found.provider, found.base_url, found.model_id) == ("tei", "http://localhost:8080", "")


def test_a_name_of_the_configuration_comes_first(named):
    found = named(**{"cohere/rerank-v3.5": {"provider": "jina", "model_id": "other"}}).settings("cohere/rerank-v3.5")
    assert (found.provider, found.model_id) == ("jina", "other")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("coher/rerank-v3.5", "Did you mean 'cohere/rerank-v3.5'"),
        ("cohere/rerank-v35", "Did you mean 'cohere/rerank-v3.5'"),
        ("mein", "Did you mean 'mine'"),
        ("xyz", "Write a name of embassay.yaml, provider/model or a folder."),
    ],
)
def test_a_name_that_leads_nowhere(name, words, named):
    with pytest.raises(ModelNotFound, match="no reranker is called") as error:
        named(mine={"provider": "cohere", "model_id": "rerank-v3.5"}).settings(name)
    assert words in str(error.value)


def test_dimensions_are_refused(named):
    with pytest.raises(UsageError, match="a reranker makes no vectors"):
        named().settings("cohere/rerank-v3.5@dims=64")


def test_none_named_and_none_configured(named):
    with pytest.raises(ConfigError, match="no reranker is named, and none is configured"):
        named().get()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"provider": "coher"}, PluginError, "no reranker is called 'coher'. Did you mean 'cohere'"),
        ({"provider": "cohere", "modelid": "x"}, ConfigError, "unknown key 'modelid'"),
        ({"provider": "tei", "query_prompt": "query: "}, ConfigError, "says nothing to a reranker"),
    ],
)
def test_settings_that_make_no_sense(settings, error, words, named):
    with pytest.raises(error, match=words):
        named(mine=settings)


def test_the_price_is_that_of_the_card(named, monkeypatch):
    assert named().get("cohere/rerank-v3.5").price == "$2 per 1,000 searches"
    assert named().get("voyage/rerank-2.5").price == "$0.05 per 1M tokens"
    assert named().get("jina/jina-reranker-v2-base-multilingual").price == "$0.018 per 1M tokens"
    assert named().get("cohere/rerank-of-2030").price == "at a price that is not known"
    assert named().get("tei/http://localhost:8080").price == ""
    own = {"provider": "cohere", "model_id": "x", "usd_per_thousand_searches": 3}
    assert named(own=own).get("own").price == "$3 per 1,000 searches"


def test_it_is_opened_once_and_closed_with_the_models(named):
    rerankers = named()
    assert rerankers.get("cohere/rerank-v3.5") is rerankers.get("cohere/rerank-v3.5")
    rerankers.close()
    assert rerankers.get("cohere/rerank-v3.5").name == "cohere/rerank-v3.5"


def test_what_1000_queries_cost(named):
    rerankers = named(
        chat={"provider": "llm", "model_id": "m", "usd_per_million_tokens": 1, "usd_per_million_tokens_out": 2}
    )
    fifty = [200] * 50
    assert rerankers.get("cohere/rerank-v3.5").usd(10, fifty) == pytest.approx(0.002)
    assert rerankers.get("cohere/rerank-v3.5").usd(10, [900] * 100) == pytest.approx(0.004)
    assert rerankers.get("voyage/rerank-2.5").usd(10, fifty) == pytest.approx(50 * 210 * 0.05 / 1e6)
    assert rerankers.get("tei/http://localhost:8080").usd(10, fifty) == 0.0
    assert rerankers.get("cohere/rerank-of-2030").usd(10, fifty) is None
    assert 4 * 20 * 200 / 1e6 < rerankers.get("chat").usd(10, fifty) < 2 * 4 * 20 * 220 / 1e6
