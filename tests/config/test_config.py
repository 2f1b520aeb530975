from __future__ import annotations

from pathlib import Path

import pytest

from embassay.config.reading import load_config
from embassay.config.secrets import masked
from embassay.config.values import Config, Seconds
from embassay.errors import ConfigError, PluginError
from embassay.models.registry import Registry

FULL = """
embeddings:
  default_model: minilm
  models:
    minilm:   {provider: local, model_id: sentence-transformers/all-MiniLM-L6-v2, precision: auto}
    openai-3-small: {provider: openai, model_id: text-embedding-3-small, dimensions: 512, batch_size: 100,
                     timeout: 30s, cache_enabled: true, cache_ttl: 30d}
    bge-m3:   {provider: ollama, model_id: bge-m3}
    fallback: {provider: hash, dimensions: 384}
  fallback_chain: [openai-3-small, bge-m3, minilm]
glossary: {JWT: JSON Web Token}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "embassay.yaml"
    file.write_text(text)
    return file


def test_the_documented_file(tmp_path):
    config = load_config(write(tmp_path, FULL))
    assert config.glossary.terms == {"JWT": "JSON Web Token"}
    models = Registry(config)
    assert models.names() == ["bge-m3", "fallback", "minilm", "openai-3-small"]
    settings = models.settings("openai-3-small")
    assert (settings.timeout, settings.cache_ttl, settings.dimensions) == (30.0, 30 * 86400.0, 512)
    assert models.default_name == "minilm"


@pytest.mark.parametrize(("written", "language"), [("no", "no"), ("'no'", "no"), ("de", "de")])
def test_norwegian_is_a_language_and_not_false(tmp_path, written, language):
    assert load_config(write(tmp_path, f"language: {written}\n")).language == language


def test_found_from_a_folder_below(tmp_path, monkeypatch):
    write(tmp_path, FULL)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert load_config(env={}).file == tmp_path / "embassay.yaml"


def test_environment_over_file(tmp_path):
    env = {
        "EMBASSAY_CONFIG": str(write(tmp_path, FULL)),
        "EMBASSAY_EMBEDDINGS__DEFAULT_MODEL": "bge-m3",
        "EMBASSAY_EMBEDDINGS__MODELS__OPENAI_3_SMALL__DIMENSIONS": "256",
        "EMBASSAY_EMBEDDINGS__FALLBACK_CHAIN": "minilm,fallback",
        "EMBASSAY_HOME": "/elsewhere",
    }
    config = load_config(env=env)
    assert config.embeddings.default_model == "bge-m3"
    assert Registry(config).settings("openai-3-small").dimensions == 256
    assert config.embeddings.fallback_chain == ["minilm", "fallback"]


@pytest.mark.parametrize("text", ["language: en\nquery_log: hashed", "query_log: {max_days: 7}", ""])
def test_keys_that_stand_below_no_other_are_set_in_the_environment(text, tmp_path):
    env = {
        "EMBASSAY_CONFIG": str(write(tmp_path, text)),
        "EMBASSAY_LANGUAGE": "de",
        "EMBASSAY_EXCLUDE": "CHANGELOG.md, docs/old/**",
        "EMBASSAY_CARDS": "ours.toml",
        "EMBASSAY_QUERY_LOG": "kept",
        "EMBASSAY_QUERY_LOG__MAX_ENTRIES": "5",
    }
    config = load_config(env=env)
    assert (config.language, config.cards) == ("de", ["ours.toml"])
    assert config.exclude == ["CHANGELOG.md", "docs/old/**"]
    assert (config.query_log.queries, config.query_log.max_entries) == ("kept", 5)
    with pytest.raises(ConfigError, match=r"\.yaml and the environment: Invalid enum value 'keep' in query_log"):
        load_config(env={**env, "EMBASSAY_QUERY_LOG": "keep"})


def test_no_file_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config(env={}) == Config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("embedings: {}", "unknown key 'embedings'. Did you mean 'embeddings'?"),
        ("embeddings: {default: x}", "unknown key 'default' in embeddings. Did you mean 'default_model'?"),
        ("embeddings: {models: {a: {provider: openai, dimension: 3}}}", "model 'a': unknown key 'dimension'. Did you mean 'dimensions'?"),
        ("embeddings: {models: {a: {provider: openai, dimensions: many}}}", "Expected 'int | null', got 'str' in dimensions"),
        ("embeddings: {models: {a: {provider: openai, timeout: soon}}}", "'soon' is no time"),
        ("embeddings: {models: {a: {provider: hash}}, fallback_chain: [b]}", "fallback_chain names 'b', which is no model."),
        ("embeddings: {default_model: mymodel}", "default_model names 'mymodel', which is no model"),
        ("embeddings: {models: {a: {provider: opnai}}}", "Did you mean 'openai'?"),
        ("- a\n- b", "holds list, not keys and values"),
        ("a: [", "line 2: not YAML"),
        ("glossary: {terms: {a: 1}}", "in glossary.terms"),
        ("glossary: {apply_to: nobody, terms: {}}", "nobody"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path, text, words):
    with pytest.raises((ConfigError, PluginError)) as caught:
        Registry(load_config(write(tmp_path, text), env={}))
    assert words in str(caught.value)


def test_secrets_are_masked():
    shown = masked(
        {
            "api_key": "sk-1",
            "headers": {"X-Anything": "v"},
            "a": "${KEY}",
            "base_url": "http://u:p@h/v1",
            "max_tokens": 8,
        }
    )
    assert shown == {
        "api_key": "********", "headers": {"X-Anything": "********"}, "a": "${KEY}",
        "base_url": "http://********@h/v1", "max_tokens": 8,
    }  # fmt: skip
    assert masked({"api_key": "${OPENAI_API_KEY}"}) == {"api_key": "${OPENAI_API_KEY}"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), ("500ms", 0.5), ("5m", 300), ("1.5h", 5400), ("30d", 2592000), (7, 7)],
)
def test_times(text, seconds):
    assert Seconds.parse(text) == seconds
