"""A configuration that was found by walking up sends nothing anywhere of its own choice, and runs nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from embassay.config import agreement
from embassay.config.reading import load_config, read_source
from embassay.config.values import Config, EmbeddingsConfig
from embassay.errors import ConfigError, ConfigNotAgreed, EmbassayError
from embassay.models.provider import load_provider, provider_names
from embassay.models.registry import Registry
from tests.servers import Answer, hash_openai, serving

KEYS = (
    "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "VOYAGE_API_KEY", "CO_API_KEY", "JINA_API_KEY", "MISTRAL_API_KEY",
    "GEMINI_API_KEY", "GOOGLE_ACCESS_TOKEN", "HF_TOKEN", "AWS_BEARER_TOKEN_BEDROCK",
)  # fmt: skip


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """A folder that one enters, with every usual key in the environment."""
    for name in KEYS:
        monkeypatch.setenv(name, "sk-the-users-own")
    for name in ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "OLLAMA_HOST", "EMBASSAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRET", "sk-another")
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def model(**settings):
    return {"embeddings": {"models": {"m": {"model_id": "x", **settings}}}}


def attempt(text, *, named=False):
    """Have the model `m` of a configuration embed a text."""
    Path("embassay.yaml").write_text(json.dumps(text))
    with Registry(load_config("embassay.yaml" if named else None)) as models:
        _ = models.cache_file(), models.catalog
        models.bare("m").check_ready()
        return models.bare("m").embed(["a text"], "query")


OTHER = "https://elsewhere.example/v1"
WAYS = {
    "another address": model(provider="openai", base_url=OTHER),
    "without a key": model(provider="http", base_url=OTHER),
    "the provider's own host without encryption": model(provider="openai", base_url="http://api.openai.com/v1"),
    "the same, allowed by the file": model(provider="openai", base_url="http://api.openai.com/v1", allow_http=True),
    "a host that begins alike": model(provider="openai", base_url="https://api.openai.com.elsewhere.example/v1"),
    "a host that ends alike": model(provider="openai", base_url="https://notapi.openai.com/v1"),
    "the own host as a user name": model(provider="openai", base_url="https://api.openai.com@elsewhere.example/v1"),
    "a back slash": model(provider="openai", base_url="https://api.openai.com\\@elsewhere.example/v1"),
    "a host that begins as this machine's": model(provider="openai", base_url="http://localhost.elsewhere.example"),
    "a name below localhost": model(provider="openai", base_url="http://x.localhost:1/v1"),
    "a path that ends the host": model(provider="http", base_url="http://localhost", path=".elsewhere.example/x"),
    "a path that is a host": model(provider="http", base_url="http://localhost", path="@elsewhere.example/x"),
    "a location that is a host": model(provider="google", project="p", location="elsewhere.example/#"),
    "a region that is a host": model(provider="bedrock", region="elsewhere.example/#"),
    "a resource of Azure": model(provider="openai", base_url="https://x.openai.azure.com", deployment="d"),
    "Azure's key for OpenAI": model(provider="openai", base_url="https://api.openai.com/v2", deployment="d"),
    "another provider's host": model(provider="voyage", base_url="https://api.openai.com/v1"),
    "an endpoint of anybody": model(provider="huggingface", base_url="https://x.endpoints.huggingface.cloud"),
    "a reference in the key": model(provider="openai", api_key="${SECRET}"),
    "a reference in the key, for this machine": model(provider="openai", base_url="http://127.0.0.1:9", api_key="${SECRET}"),
    "a reference in a header": model(provider="http", base_url="http://127.0.0.1:9", headers={"X-A": "a ${SECRET}"}),
    "a reference in a header's name": model(provider="http", base_url="http://127.0.0.1:9", headers={"${SECRET}": "a"}),
    "a reference in the body": model(provider="http", base_url="http://127.0.0.1:9", extra_body={"a": [{"b": "${SECRET}"}]}),
    "a reference in a query": model(provider="http", base_url="http://127.0.0.1:9/?a=${SECRET}"),
    "a reference in a prompt": model(provider="http", base_url="http://127.0.0.1:9", query_prompt="${SECRET}"),
    "a file": model(provider="openai", base_url="http://127.0.0.1:9", api_key="${file:/etc/passwd}"),
    "the keyring": model(provider="openai", base_url="http://127.0.0.1:9", api_key="${keyring:a/b}"),
    "a command": model(provider="openai", base_url="http://127.0.0.1:9", api_key="${command:touch ran}"),
    "a command where the key tells the address": model(provider="voyage", api_key="${command:touch ran}"),
    "somebody else's account": model(provider="openai", api_key="sk-theirs"),
    "somebody else's account, by a header": model(provider="openai", headers={"Authorization": "Bearer sk-theirs"}),
    "code that comes with a model": model(provider="sentence-transformers", model_id="./m", trust_remote_code=True),
    "a cache elsewhere": {**model(provider="hash"), "cache": {"path": "../cache.db"}},
    "a cache at a whole path": {**model(provider="hash"), "cache": {"path": "/tmp/cache.db"}},
    "a cache at home": {**model(provider="hash"), "cache": {"path": "~/cache.db"}},
    "a cache behind a link": {**model(provider="hash"), "cache": {"path": "out/cache.db"}},
    "cards elsewhere": {**model(provider="hash"), "cards": ["../cards.toml"]},
    "cards behind a link": {**model(provider="hash"), "cards": ["out/cards.toml"]},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_refused_until_it_is_agreed_to(way, checkout, tmp_path):
    (checkout / "out").symlink_to(tmp_path)
    with pytest.raises(
        ConfigNotAgreed, match=r"found here, and nobody has agreed to it.*embassay config allow"
    ) as caught:
        attempt(WAYS[way])
    assert "sk-" not in str(caught.value).replace("sk-theirs", "") and not (checkout / "ran").exists()
    source = read_source()
    agreement.agree(source.file, source.digest)
    assert load_config().found is None and load_config().trust == "agreed"


@pytest.mark.parametrize("way", [way for way in WAYS if "models" in str(WAYS[way]) and "elsewhere" not in way])
def test_what_the_user_named_is_the_users(way, checkout):
    try:
        attempt(WAYS[way], named=True)
    except ConfigNotAgreed:
        pytest.fail("the user named it")
    except (EmbassayError, AssertionError, OSError):
        pass  # of a network that is not there, and of settings that make no sense


@pytest.mark.parametrize("key", ["file", "found", "trust"])
def test_no_file_says_that_it_is_trusted(key, checkout):
    for text in ({**model(provider="hash"), key: "own"}, model(provider="hash", **{key: None})):
        if key != "found" and text.get("embeddings", {}).get("models", {}).get("m", {}).get(key, 0) is None:
            continue
        with pytest.raises(ConfigError, match=f"unknown key '{key}'"):
            attempt(text, named=True)


def test_this_machine_and_the_users_key(checkout):
    with serving(hash_openai()) as server:
        made = attempt(model(provider="openai", base_url=f"{server.url}/v1", max_tokens=99))
    assert made.vectors.any() and server.received[-1].headers["authorization"] == "Bearer sk-the-users-own"


@pytest.mark.parametrize(
    "name", [n for n in provider_names() if hasattr(load_provider(n).module, "open_api") and n != "http"]
)
def test_own_hosts_need_no_agreement(name, checkout):
    Path("embassay.yaml").write_text(json.dumps(model(provider=name)))
    with Registry(load_config()) as models:
        assert models.config.found
        models.bare("m").check_ready()


def test_own_hosts_of_vertex_and_of_a_region(checkout):
    for settings in ({"provider": "google", "project": "p"}, {"provider": "google", "project": "p", "location": "global"},
                     {"provider": "bedrock", "region": "eu-central-1"}):  # fmt: skip
        Path("embassay.yaml").write_text(json.dumps(model(**settings)))
        with Registry(load_config()) as models:
            models.bare("m").check_ready()


def test_addresses_of_the_environment_are_the_users(checkout, monkeypatch):
    ready = {
        "OPENAI_BASE_URL": ("https://gateway.example/v1", model(provider="openai")),
        "AZURE_OPENAI_ENDPOINT": ("https://mine.openai.azure.com", model(provider="openai", deployment="d")),
        "OLLAMA_HOST": ("https://gpu.example", model(provider="ollama")),
        "EMBASSAY_EMBEDDINGS__MODELS__M__BASE_URL": (
            OTHER,
            model(provider="openai", base_url="https://theirs.example"),
        ),
    }
    for name, (value, text) in ready.items():
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            Path("embassay.yaml").write_text(json.dumps(text))
            with Registry(load_config()) as models:
                models.bare("m").check_ready()


def test_a_path_of_the_file_does_not_lead_away_from_the_users_address(checkout, monkeypatch):
    monkeypatch.setenv("EMBASSAY_EMBEDDINGS__MODELS__M__BASE_URL", "https://gateway.example")
    with pytest.raises(ConfigNotAgreed):
        attempt(model(provider="http", path=".elsewhere.example/x"))


def test_the_file_may_not_allow_http_for_the_users_address(checkout, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu.example/v1")
    with pytest.raises(ConfigError, match="without encryption"):
        attempt(model(provider="openai", allow_http=True))


def test_references_of_the_environment_are_the_users(checkout, monkeypatch):
    monkeypatch.setenv("EMBASSAY_EMBEDDINGS__MODELS__M__API_KEY", "${SECRET}")
    with serving(hash_openai()) as server:
        attempt(model(provider="openai", base_url=f"{server.url}/v1", api_key="${OPENAI_API_KEY}", max_tokens=99))
        assert server.received[-1].headers["authorization"] == "Bearer sk-another"
    with pytest.raises(ConfigNotAgreed):
        attempt(model(provider="openai", base_url=OTHER))


def test_a_card_of_the_checkout_chooses_no_address(checkout):
    (checkout / "cards.toml").write_text(
        '[[model]]\nid = "openai/x"\naliases = ["minilm"]\nprovider_ids = { openai = "x" }\nsources = "a wiki"\n'
    )
    Path("embassay.yaml").write_text("cards: [cards.toml]\n")
    with Registry(load_config()) as models:
        models.bare("minilm").check_ready()  # at OpenAI's own host


def test_a_chain_is_no_way_around(checkout):
    text = model(provider="openai", base_url=OTHER)
    text["embeddings"]["fallback_chain"] = ["m"]
    Path("embassay.yaml").write_text(json.dumps(text))
    with Registry(load_config()) as models, pytest.raises(EmbassayError, match="nobody has agreed"):
        models.chain().embed(["a"], "query")


def test_a_config_made_in_python_is_the_users(checkout):
    with serving(hash_openai()) as server:
        settings = {"provider": "openai", "model_id": "m", "base_url": server.url, "api_key": "${SECRET}"}
        with Registry(Config(embeddings=EmbeddingsConfig(models={"m": settings}))) as models:
            models.bare("m").embed(["a"], "query")
        assert server.received[-1].headers["authorization"] == "Bearer sk-another"


# -- agreement ---------------------------------------------------------------------------------------------


def agree():
    source = read_source()
    agreement.agree(source.file, source.digest)


def test_a_file_that_changes_is_agreed_to_again(checkout):
    Path("embassay.yaml").write_text(json.dumps(WAYS["another address"]))
    agree()
    assert load_config().trust == "agreed"
    with pytest.raises(ConfigNotAgreed, match="has changed since it was agreed to"):
        attempt(model(provider="openai", base_url="https://third.example"))
    Path("embassay.yaml").write_text(json.dumps(WAYS["another address"]))
    assert load_config().trust == "agreed", "the content that was agreed to"


def test_a_card_that_changes_is_agreed_to_again(checkout):
    Path("embassay.yaml").write_text("cards: [a.toml, missing.toml]\n")
    Path("a.toml").write_text('[[model]]\nid = "a/b"\n')
    agree()
    assert load_config().trust == "agreed"
    Path("missing.toml").write_text('[[model]]\nid = "a/c"\n')
    assert load_config().trust == "changed"
    agree()
    Path("a.toml").write_text('[[model]]\nid = "a/b"\nmax_tokens = 9\n')
    assert load_config().trust == "changed"


def test_an_agreement_is_of_one_path(checkout, tmp_path, monkeypatch):
    Path("embassay.yaml").write_text(json.dumps(WAYS["another address"]))
    agree()
    shutil.copytree(checkout, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    assert load_config().trust == "found"


def test_taken_back(checkout):
    Path("embassay.yaml").write_text(json.dumps(WAYS["another address"]))
    agree()
    assert agreement.withdraw(checkout / "embassay.yaml") and not agreement.withdraw(checkout / "embassay.yaml")
    assert load_config().trust == "found"


def test_records_are_private(checkout):
    Path("embassay.yaml").write_text("{}")
    old = os.umask(0)
    try:
        agree()
    finally:
        os.umask(old)
    (record,) = (agreement.state_folder() / "agreed").iterdir()
    assert record.stat().st_mode & 0o777 == 0o600 and record.parent.stat().st_mode & 0o777 == 0o700


def test_a_broken_record_is_no_agreement(checkout):
    Path("embassay.yaml").write_text(json.dumps(WAYS["another address"]))
    agree()
    (record,) = (agreement.state_folder() / "agreed").iterdir()
    for content in (b"", b"\xff\xfe", b"agreed\n"):
        record.write_bytes(content)
        assert load_config().trust != "agreed"


# -- encryption, redirects, proxies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "http://gpu.example/v1"},
        {"base_url": "http://gpu.example/v1", "api_key": "sk-written"},
        {"base_url": "http://gpu.example/v1", "api_key": "none", "headers": {"X-Api-Key": "secret"}},
        {"base_url": "http://gpu.example/v1", "api_key": "none", "headers": {"X-A": "${SECRET}"}},
        {"base_url": "http://user:word@gpu.example/v1", "api_key": "none"},
        {"base_url": "http://gpu.example/v1?api_key=abc", "api_key": "none"},
        {"base_url": "http://10.0.0.1/v1"},
        {"base_url": "http://0x7f.1/v1"},
    ],
)
def test_a_key_is_not_sent_without_encryption(settings, checkout):
    with pytest.raises(ConfigError, match=r"without encryption.*allow_http: true.*api_key: none"):
        attempt(model(provider="openai", **settings), named=True)
    with pytest.raises((AssertionError, EmbassayError), match=r"tried to reach|did not answer|no request can be made"):
        attempt(model(provider="openai", retries=0, allow_http=True, **settings), named=True)


def test_no_key_needs_no_encryption(checkout):
    Path("embassay.yaml").write_text(
        json.dumps(model(provider="openai", base_url="http://gpu.example", api_key="none"))
    )
    with Registry(load_config("embassay.yaml")) as models:
        models.bare("m").check_ready()


def test_no_redirect_is_followed(checkout):
    with serving(hash_openai()) as other:
        for status in (301, 302, 303, 307, 308):
            with serving(
                lambda r, status=status: Answer(b"", status, {"Location": f"{other.url}/v1/embeddings"})
            ) as server:
                with pytest.raises(EmbassayError, match="redirects to"):
                    attempt(model(provider="openai", base_url=f"{server.url}/v1", retries=0), named=True)
        assert other.received == []


def test_requests_to_this_machine_pass_no_proxy(checkout, monkeypatch):
    with serving(hash_openai()) as server, serving(hash_openai()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        attempt(model(provider="openai", base_url=f"{server.url}/v1", max_tokens=99))
        assert server.received and not proxy.received
