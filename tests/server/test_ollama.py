"""The dialect of Ollama over a real server."""

import math

import numpy as np
import pytest

import embassay
from embassay.server.residency import Residency

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def post(client, path, **fields):
    return client.post(path, json=fields)


def test_vectors_are_those_of_the_library(client):
    known = embassay.embed(TEXTS, "document")
    made = post(client, "/api/embed", model="minilm:latest", input=TEXTS).json()
    assert np.allclose(made["embeddings"], known.vectors, atol=2e-3)
    assert made["model"] == "minilm:latest" and made["prompt_eval_count"] == sum(known.tokens)
    assert made["total_duration"] > made["load_duration"] >= 0
    one = post(client, "/api/embed", model="minilm", input=TEXTS[0], options={"num_ctx": 512}).json()
    assert np.allclose(one["embeddings"], known.vectors[:1], atol=2e-3)
    old = post(client, "/api/embeddings", model="minilm", prompt=TEXTS[0]).json()
    assert np.allclose(old["embedding"], known.vectors[0], atol=2e-3)


def test_no_text_has_no_vector(client):
    for nothing in ("", []):
        assert post(client, "/api/embed", model="minilm", input=nothing).json()["embeddings"] == []
    assert post(client, "/api/embed", model="minilm").json()["prompt_eval_count"] == 0
    assert post(client, "/api/embeddings", model="minilm", prompt="").json() == {"embedding": []}


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("/api/embed", {"model": "nobody", "input": "a"}, 404, "model_not_found"),
        ("/api/embed", {"model": "minilm", "input": [1, 2]}, 400, "request_invalid"),
        ("/api/embed", {"model": "minilm", "input": "word " * 600, "truncate": False}, 400, "text_too_long"),
        ("/api/embed", {"model": "minilm", "input": "a", "dimensions": 128}, 400, "dimensions_refused"),
        ("/api/embed", {"model": "minilm", "input": "a", "keep_alive": "soon"}, 400, "request_invalid"),
        ("/api/embeddings", {"model": "minilm", "prompt": "word " * 600}, 400, "text_too_long"),
        ("/api/show", {"model": "nobody"}, 404, "model_not_found"),
    ],
)
def test_what_is_wrong_is_said(client, path, fields, status, code):
    reply = post(client, path, **fields)
    assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
    assert isinstance(reply.json()["error"], str)


def test_as_many_dimensions_as_there_are_change_nothing(client):
    for dimensions in (384, 5000, 0, None):
        reply = post(client, "/api/embed", model="minilm", input="a", dimensions=dimensions)
        assert len(reply.json()["embeddings"][0]) == 384


def test_models_are_listed_under_all_of_their_names(client):
    listed = {one["name"]: one for one in client.get("/api/tags").json()["models"]}
    assert {f"{MODEL}:latest", "minilm:latest"} <= set(listed)
    assert len({one["digest"] for one in listed.values()}) == 1
    shown = post(client, "/api/show", model="minilm").json()
    kind = shown["model_info"]["general.architecture"]
    assert shown["model_info"][f"{kind}.embedding_length"] == 384 and shown["capabilities"] == ["embedding"]
    assert (
        shown["model_info"][f"{kind}.context_length"] == 256 and shown["details"] == listed["minilm:latest"]["details"]
    )
    assert client.get("/api/version").json()["version"].startswith("0.")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5m", 300), (10, 10), ("30", 30), ("1h30m", 5400), (-1, math.inf), ("-1m", math.inf), ("500ms", 0.5), (0, 0)],
)
def test_a_model_stays_loaded_as_long_as_is_wished(client, served, said, seconds):
    models = served.server.service.models
    assert post(client, "/api/embed", model="minilm", input="a", keep_alive=said).status_code == 200
    assert models.keep_alive(MODEL, 60) == seconds
    (running,) = client.get("/api/ps").json()["models"]
    assert running["name"] == f"{MODEL}:latest" and running["expires_at"]
    if seconds == 0:
        assert Residency(models, 300).unload() == [MODEL]
        assert client.get("/api/ps").json()["models"] == []
        assert post(client, "/api/embed", model="minilm", input="a").json()["load_duration"] > 0
