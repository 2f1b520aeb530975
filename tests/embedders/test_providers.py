"""Each provider: its documented requests and replies word by word, and the conformance suite over all that are found."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from embassay import plugins
from embassay.catalog.catalog import shipped
from embassay.config.reading import checked
from embassay.embedders.base import Embedder
from embassay.embedders.http.driver import HttpEmbedder
from embassay.errors import KeyMissing
from embassay.models.provider import PROVIDERS, Provider
from embassay.testing import check_embedder
from tests.embedders.golden_service import GOLDEN, answer_get, service
from tests.servers import Answer, Received, serving
from tests.tiny import CASES as TINY
from tests.tiny import write_model

NOT_HTTP = {"local", "hash", "sentence-transformers", "onnx"}
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name, golden in GOLDEN.items()
    for case in golden["cases"]
]


def open_case(provider: str, settings: dict[str, Any]) -> Embedder:
    module = plugins.load(PROVIDERS, provider)
    made = checked({"provider": provider, **settings}, module.Settings, "test")
    catalog = shipped()
    card = catalog.get(made.card) if made.card else catalog.named(provider, made.model_id)
    return Provider(provider, module).open(made, card)


def test_every_http_provider_has_a_golden_file():
    assert set(GOLDEN) == set(plugins.names(PROVIDERS)) - NOT_HTTP


@pytest.mark.parametrize(("provider", "case"), CASES)
def test_documented_request_and_reply(provider, case, monkeypatch):
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)
    embedder = open_case(provider, case["settings"])
    assert isinstance(embedder, HttpEmbedder)
    expected, reply = case["request"], case["reply"]

    def handle(request: Received) -> Answer:
        if request.method == "GET":
            return answer_get(provider, request)
        return Answer(json.dumps(reply["body"]).encode(), headers=reply["headers"])

    with serving(handle) as server:
        api = embedder.api
        real = api.base_url()
        place, official = urlsplit(real), api.is_default_service()
        monkeypatch.setattr(api, "base_url", lambda: server.url + place.path)
        monkeypatch.setattr(api, "is_default_service", lambda: official)
        embedder.exchange.check.dimensions = len(case["vectors"][0])
        made = embedder.embed(case["texts"], case["role"])
        (sent,) = (request for request in server.received if request.method == "POST")
    target = urlsplit(expected["url"])
    assert f"{place.scheme}://{place.netloc}" == f"{target.scheme}://{target.netloc}"
    assert sent.path == (target.path or "/") + (f"?{target.query}" if target.query else "")
    assert sent.json == expected["body"]
    for name, value in expected["headers"].items():
        assert sent.headers[name.lower()] == value
    if not {"Authorization", "x-goog-api-key", "api-key"} & set(expected["headers"]):
        assert "authorization" not in sent.headers
    assert np.allclose(made.vectors, case["vectors"], atol=1e-6)
    assert made.usage.tokens == case["tokens"]
    assert list(made.truncated) == case.get("truncated", [False] * len(case["texts"]))


def keyed() -> list[str]:
    """Providers that need a key, by their own word."""
    found = []
    for provider, golden in GOLDEN.items():
        embedder = open_case(provider, golden["cases"][0]["settings"])
        if embedder.api.needs_key():
            found.append(provider)
    return found


@pytest.mark.parametrize("provider", keyed())
def test_without_a_key_nothing_is_sent(provider):
    settings = {k: v for k, v in GOLDEN[provider]["cases"][0]["settings"].items() if k != "api_key"}
    with pytest.raises(KeyMissing, match=r"needs a key\. export \w+=\.\.\."):
        open_case(provider, settings).embed(["a"], "query")


@pytest.mark.parametrize("provider", plugins.names(PROVIDERS))
def test_conformance(provider, tmp_path, monkeypatch):
    """Every provider that is found runs for real: the engine over weights, HTTP against a server of its protocol."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "b-1")
    if provider == "hash":
        check_embedder(open_case(provider, {"dimensions": 64}))
        return
    if provider in ("local", "sentence-transformers"):
        if provider != "local":
            pytest.importorskip("sentence_transformers", reason="needs the extra torch")
        folder = str(write_model(tmp_path / "tiny", TINY["bert"]))
        check_embedder(open_case(provider, {"model_id": folder, "precision": "f32"}))
        return
    if provider == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the extra onnx")
        from tests.tiny import write_onnx

        check_embedder(open_case(provider, {"model_id": str(write_onnx(tmp_path / "tiny"))}))
        return
    case = GOLDEN[provider]["cases"][0]["settings"]
    own = {k: v for k, v in case.items() if k not in ("base_url", "dimensions", "api_key")}
    with serving(service(provider, 96)) as server:
        embedder = open_case(provider, {**own, "base_url": server.url, "api_key": "k", "max_tokens": 512})
        embedder.exchange.check.dimensions = 96
        check_embedder(embedder)
