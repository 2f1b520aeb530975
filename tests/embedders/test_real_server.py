"""A real OpenAI-compatible server, FastAPI over the local engine, seen through the provider."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import KeyRejected, RequestRefused, SpendCapReached, TextRefused
from embassay.home import Home
from embassay.models.registry import Registry
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.testing import check_embedder
from tests.sets.indexed import opened

KEY = "sk-local-test"
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
MOST_INPUTS = 16


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    model: str
    input: str | list[str]
    encoding_format: str = "float"


def application(embedder: Any) -> FastAPI:
    """As such servers are: a cap of inputs, 400 for long texts, 422 for unknown fields, 401 without the key."""
    app = FastAPI()

    def error(status: int, message: str) -> JSONResponse:
        return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": None}}, status)

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model"}]}

    @app.post("/v1/embeddings")
    def embeddings(asked: Asked, request: Request) -> Any:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise HTTPException(401, "Incorrect API key provided")
        if asked.model != MODEL:
            return error(404, f"The model {asked.model!r} does not exist")
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        if len(texts) > MOST_INPUTS:
            return error(400, f"Too many inputs. The max number of inputs is {MOST_INPUTS}")
        if any(not text for text in texts):
            return error(400, "'$.input' is invalid")
        counts = embedder.tokens.count(texts)
        if max(counts) > embedder.tokens.max_tokens:
            return error(400, f"This model's maximum context length is 256 tokens, however you requested {max(counts)}")
        vectors = embedder.embed(texts, "document").vectors

        def packed(vector: np.ndarray) -> Any:
            raw = base64.b64encode(vector.astype("<f4").tobytes()).decode()
            return raw if asked.encoding_format == "base64" else vector.tolist()

        data = [{"object": "embedding", "index": i, "embedding": packed(v)} for i, v in enumerate(vectors)]
        return {
            "object": "list",
            "data": data[::-1],
            "model": MODEL,
            "usage": {"prompt_tokens": sum(counts), "total_tokens": sum(counts)},
        }

    return app


@pytest.fixture(scope="module")
def address(minilm) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(application(minilm), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join(5)


def settings(address: str, **changes: Any) -> Settings:
    return Settings(**{"model_id": MODEL, "base_url": address, "api_key": KEY, "max_tokens": 256, **changes})


@pytest.mark.parametrize("form", ["float", "base64", "omit"])
def test_vectors_are_those_of_the_model_behind_it(address, minilm, form):
    texts = [f"how do I rotate key number {i}" for i in range(50)]
    made = HttpEmbedder(open_api(settings(address, encoding_format=form), None)).embed(texts, "document")
    assert np.abs(made.vectors - minilm.embed(texts, "document").vectors).max() < 1e-5
    assert made.usage.tokens == sum(minilm.tokens.count(texts))


def test_conformance(address):
    check_embedder(HttpEmbedder(open_api(settings(address), None)))


def test_long_texts_are_cut_until_they_fit_and_flagged(address):
    """The count here is an estimate: what the server still refuses is cut again."""
    texts = ["short", "antidisestablishmentarianism " * 200]
    made = HttpEmbedder(open_api(settings(address, max_tokens=8000), None)).embed(texts, "document")
    assert list(made.truncated) == [False, True]
    assert np.abs(np.linalg.norm(made.vectors, axis=1) - 1).max() < 1e-3


def test_wrong_key_and_wrong_model(address):
    with pytest.raises(KeyRejected, match="Incorrect API key provided"):
        HttpEmbedder(open_api(settings(address, api_key="sk-wrong-key"), None)).embed(["a"], "query")
    with pytest.raises(RequestRefused, match=r"does not exist.*Check model_id"):
        HttpEmbedder(open_api(settings(address, model_id="other"), None)).embed(["a"], "query")


def session(address: str, tmp_path: Any, **embeddings: Any) -> Session:
    models = {
        "served": {"provider": "openai", "model_id": MODEL, "base_url": address, "api_key": KEY, "max_tokens": 256},
        "minilm": {"provider": "local", "model_id": MODEL, "precision": "f32"},
        "down": {"provider": "openai", "model_id": MODEL, "base_url": "http://127.0.0.1:9/v1", "retries": 0,
                 "revision": "x", "max_tokens": 256},
    }  # fmt: skip
    config = Config(embeddings=EmbeddingsConfig(default_model="served", models=models, **embeddings))
    return Session(config, cache_file=tmp_path / "cache.db")


def test_a_set_indexed_through_the_server_and_searched(address, tmp_path, docs):
    with Home(HomeFolder(docs.parent / ".embassay"), session(address, tmp_path)) as home:
        report = home.index([docs])
        assert report.embedded == report.chunks > 0
        assert (report.cached, report.usd) == (0, 0.0)
        assert home.search("rotate a key").hits[0].chunk.path.endswith("keys.md")
        assert home.doctor() == []
        home.index([docs], set="again")
        assert home.index([docs], set="third").cached == report.chunks, "the cache serves other sets too"


def test_local_and_served_stand_in_for_each_other(address, tmp_path, docs, monkeypatch):
    """Proven by canary texts: the same weights behind two providers are one space to a chain."""
    with Home(
        HomeFolder(docs.parent / ".embassay"), session(address, tmp_path, fallback_chain=["served", "minilm"])
    ) as home:
        home.index([docs])
        first = home.embedder()
        assert first.embed(["a"], "query").model == "served"
        with opened(home) as (state, generation, _):
            served = home.session.models.get("served", state.proofs.anchor(generation.id))
        while hasattr(served, "inner"):
            served = served.inner
        monkeypatch.setattr(served.api, "base_url", lambda: "http://127.0.0.1:9/v1")
        monkeypatch.setattr(served, "settings", msgspec.structs.replace(served.settings, retries=0))
        result = home.search("never asked before: rotate a key")
        assert result.hits[0].arms["dense"].rank == 1
        assert home.embedder().embed(["never asked either"], "query").model == "minilm"


def test_search_goes_on_by_words_when_the_model_is_down(tmp_path, docs, address):
    folder = docs.parent / ".embassay"
    with Home(HomeFolder(folder), session(address, tmp_path)) as home:
        home.index([docs])
    broken = session("http://127.0.0.1:9/v1", tmp_path)
    with Home(HomeFolder(folder), broken) as home:
        with opened(home) as (_, generation, _store):
            space = generation.space
        same = msgspec.structs.replace(broken.models.settings("served"), retries=0, revision=space.weights)
        broken.models.register("served", same)
        result = home.search("rotate a key never asked")
        assert result.mode == "lexical"
        assert "did not answer" in result.notices[0]
        assert result.hits[0].chunk.path.endswith("keys.md")


def test_a_spend_cap_stops_an_index_run_and_the_next_goes_on(address, tmp_path, docs):
    def priced(cap: float) -> Session:
        made = session(address, tmp_path, spend_cap_usd=cap, spend_cap_per="run")
        made.models.register(
            "served",
            msgspec.structs.replace(made.models.settings("served"), usd_per_million_tokens=1000.0, canaries=False),
        )
        return made

    folder = HomeFolder(docs.parent / ".embassay")
    with Home(folder, priced(1.0)) as home:
        whole = home.index([docs], set="whole")
        assert whole.usd > 0.05
    (tmp_path / "cache.db").unlink()
    spent = 0.0
    for runs in range(1, 7):  # noqa: B007 - how many it took is asked behind the loop
        with Home(folder, priced(whole.usd * 0.7)) as home:
            try:
                report = home.index([docs])
            except SpendCapReached:
                spent += home.session.models.budget.spent
                assert home.set("default").status().chunks > 0, "what was paid for can be searched"
                continue
            spent += home.session.models.budget.spent
            break
    assert 1 < runs < 6
    assert report.chunks == whole.chunks
    assert spent == pytest.approx(whole.usd, rel=0.01), "nothing was paid for twice"


def test_what_was_answered_beside_a_bad_text_is_not_paid_for_again(tmp_path):
    """Ten batches are under way when one fails for good: all but the one bad text are kept."""
    from tests.servers import Answer, hash_openai, serving

    good = hash_openai(64)
    texts = [f"text {i}" for i in range(100)]
    broken = True

    def handle(request):
        fails = broken and "text 35" in request.json["input"]
        return Answer({"error": {"message": "boom"}}, 500, delay=0.3) if fails else good(request)

    with serving(handle) as server:
        models = {"m": {"provider": "openai", "model_id": "m", "base_url": server.url, "batch_size": 10, "retries": 0,
                        "max_tokens": 512, "concurrency": 4, "canaries": False}}  # fmt: skip
        made = Registry(Config(embeddings=EmbeddingsConfig(models=models)), cache_file=tmp_path / "c.db")
        with pytest.raises(TextRefused, match="text 35 was refused: openai/m answered 500: boom"):
            made.get("m").embed(texts, "document")
        broken = False
        before = len(server.received)
        assert np.allclose(made.get("m").embed(texts, "document").vectors, hashed(texts, 64), atol=1e-6)
        again = [text for r in server.received[before:] for text in r.json["input"]]
        assert again == ["text 35"]
