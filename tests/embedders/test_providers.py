"""Each provider: its documented requests and replies word by word, and the conformance suite over all that are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from mensura import plugins
from mensura.catalog.catalog import shipped
from mensura.config import checked
from mensura.embedders.base import Embedder
from mensura.embedders.http import HttpEmbedder
from mensura.embedders.providers.hash import hashed
from mensura.embedders.reference import PROVIDERS
from mensura.errors import KeyMissing
from mensura.testing import check_embedder
from tests.servers import Answer, Received, serving
from tests.tiny import CASES, write_model

GOLDEN = Path(__file__).parent / "golden"
NOT_HTTP = {"local", "hash", "sentence-transformers", "onnx"}
CASES_OF = {file.stem: json.loads(file.read_text("utf-8"))["cases"] for file in sorted(GOLDEN.glob("*.json"))}


def open_case(provider: str, settings: dict[str, Any]) -> Embedder:
    module = plugins.load(PROVIDERS, provider)
    made = checked({"provider": provider, **settings}, module.Settings, "test")
    catalog = shipped()
    card = catalog.get(made.card) if made.card else catalog.named(provider, made.model_id)
    return module.open_embedder(made, card)


def test_every_http_provider_has_a_golden_file():
    assert set(CASES_OF) == set(plugins.names(PROVIDERS)) - NOT_HTTP


@pytest.mark.parametrize(
    ("provider", "case"), [pytest.param(p, c, id=f"{p}: {c['name']}") for p, cases in CASES_OF.items() for c in cases]
)
def test_documented_request_and_reply(provider, case, monkeypatch):
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)
    embedder = open_case(provider, case["settings"])
    assert isinstance(embedder, HttpEmbedder)
    expected, reply = case["request"], case["reply"]

    def handle(request: Received) -> Answer:
        return Answer(json.dumps(reply["body"]).encode(), headers=reply["headers"])

    with serving(handle) as server:
        api = embedder.api
        real = api.base_url()
        place = urlsplit(real)
        monkeypatch.setattr(api, "base_url", lambda: server.url + place.path)
        monkeypatch.setattr(
            api, "is_default_service", lambda was=real == api.url or not case["settings"].get("base_url"): was
        )
        monkeypatch.setattr(
            api, "describe", lambda get: __import__("mensura.embedders.api").embedders.api.Description()
        )
        embedder._dimensions = len(case["vectors"][0])
        made = embedder.embed(case["texts"], case["role"])
        (sent,) = server.received
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


KEYED = ("cohere", "google", "huggingface", "jina", "mistral", "openai", "voyage")


@pytest.mark.parametrize("provider", KEYED)
def test_without_a_key_nothing_is_sent(provider):
    card = next(c for c in shipped().models.values() if provider in c.provider_ids or provider == "huggingface")
    embedder = open_case(provider, {"model_id": card.provider_ids.get(provider, card.id)})
    with pytest.raises(KeyMissing, match=r"needs a key\. export \w+=\.\.\."):
        embedder.embed(["a"], "query")


def fake(provider: str, dimensions: int) -> Any:
    """A service that speaks a provider's protocol; each text has its own vector."""

    def texts_of(body: dict[str, Any]) -> list[str]:
        if "requests" in body:
            return [r["content"]["parts"][0]["text"] for r in body["requests"]]
        found = next(body[key] for key in ("input", "texts", "inputs", "inputText") if key in body)
        return [found] if isinstance(found, str) else found

    def handle(request: Received) -> Answer:
        if request.path == "/api/tags":
            return Answer({"models": [{"name": "m:latest", "digest": "abc123"}]})
        if request.path == "/info":
            return Answer({"model_id": "m", "model_sha": "f00", "max_input_length": 512, "max_client_batch_size": 16})
        rows = hashed(texts_of(request.json), dimensions).tolist()
        shapes = {
            "cohere": {"embeddings": {"float": rows}},
            "google": {"embeddings": [{"values": row} for row in rows]},
            "bedrock": {"embedding": rows[0], "inputTextTokenCount": 3},
            "ollama": {"embeddings": rows},
            "huggingface": rows,
            "tei": rows,
            "http": {"embeddings": rows},
        }
        usual = {"data": [{"index": i, "embedding": row} for i, row in enumerate(rows)], "usage": {"total_tokens": 5}}
        return Answer(shapes.get(provider, usual))

    return handle


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
        folder = str(write_model(tmp_path / "tiny", CASES["bert"]))
        check_embedder(open_case(provider, {"model_id": folder, "precision": "f32"}))
        return
    if provider == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the extra onnx")
        from tests.tiny import write_onnx

        check_embedder(open_case(provider, {"model_id": str(write_onnx(tmp_path / "tiny"))}))
        return
    model = "amazon.titan-embed-text-v1" if provider == "bedrock" else "m"
    with serving(fake(provider, 96)) as server:
        embedder = open_case(provider, {"model_id": model, "base_url": server.url, "api_key": "k", "max_tokens": 512})
        if provider == "bedrock":
            embedder._dimensions = 96
        check_embedder(embedder)
