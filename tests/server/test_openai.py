"""OpenAI's dialect over a real server."""

import base64
import json

import numpy as np
import pytest

import embassay

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


def embed(client, **fields):
    return client.post("/v1/embeddings", json=fields)


def test_vectors_are_those_of_the_library(client):
    reply = embed(client, model="minilm", input=TEXTS)
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert body["object"] == "list" and [one["index"] for one in body["data"]] == [0, 1]
    got = np.array([one["embedding"] for one in body["data"]], np.float32)
    known = embassay.embed(TEXTS, "document")
    assert np.allclose(got, known.vectors, atol=2e-3)
    assert body["usage"] == {"prompt_tokens": sum(known.tokens), "total_tokens": sum(known.tokens)}


def test_floats_and_base64_are_the_same_numbers(client):
    plain = embed(client, input=TEXTS[0]).json()["data"][0]["embedding"]
    packed = embed(client, input=TEXTS[0], encoding_format="base64").json()["data"][0]["embedding"]
    assert np.array_equal(np.frombuffer(base64.b64decode(packed), "<f4"), np.array(plain, np.float32))


def test_null_is_as_absent(client):
    reply = embed(client, input=TEXTS[0], dimensions=None, user=None, encoding_format=None, model=None, input_type=None)
    assert reply.status_code == 200


def test_token_ids_are_taken_where_they_are_surely_the_models_own(client):
    tokenizer = embassay.Registry().get("minilm").tokens.tokenizer
    for text in TEXTS:
        tokens = tokenizer.encode(text).ids
        assert embed(client, input=tokens).json()["data"] == embed(client, input=text).json()["data"]
    assert len(embed(client, input=[tokens, tokens]).json()["data"]) == 2
    for ids in (tokens[1:-1], [9906, 1917], [[9906], [1917]], [2**40], [tokens, "a text"]):
        reply = embed(client, input=ids)
        assert reply.status_code == 400 and "check_embedding_ctx_length" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"input": ["a", ""]}, 400, "input_empty", "input[1]"),
        ({"input": []}, 400, "input_empty", "input"),
        ({"input": 5}, 400, "request_invalid", "input"),
        ({}, 400, "request_invalid", None),
        ({"input": "a", "model": "nobody/knows"}, 404, "model_not_found", None),
        ({"input": "a", "dimensions": 128}, 400, "dimensions_refused", None),
        ({"input": "a", "dimensions": 0}, 400, "request_invalid", "dimensions"),
        ({"input": "a", "input_type": "clustering"}, 400, "request_invalid", "input_type"),
        ({"input": "word " * 600}, 400, "text_too_long", None),
        ({"input": ["a"] * 2049}, 400, "request_invalid", None),
    ],
)
def test_what_is_wrong_is_said(client, fields, status, code, param):
    reply = embed(client, **fields)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["message"] and error["type"] == "invalid_request_error"


def test_a_long_text_is_cut_where_that_is_asked_for(client):
    assert embed(client, input="word " * 600, truncation=True).status_code == 200


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b'{"input": "a"}', "application/xml", 415),
        (b'{"input": "a"}', "application/json; charset=latin-1", 415),
        (b'{"input": "a"}', "application/x-www-form-urlencoded", 200),
        (b'{"input": "\xff"}', "application/json", 400),
        (b'{"input": "a"', "application/json", 400),
        (b"", "application/json", 400),
        (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
        (b'{"input": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
        (b'{"input": "\\ud800"}', "application/json", 400),
        (b'{"input": NaN}', "application/json", 400),
    ],
)
def test_bodies_that_are_none(client, body, media, status):
    reply = client.post("/v1/embeddings", content=body, headers={"content-type": media})
    assert reply.status_code == status, reply.text
    json.loads(reply.text)


def test_models(client):
    listed = client.get("/v1/models").json()["data"]
    assert [one["id"] for one in listed] == ["sentence-transformers/all-MiniLM-L6-v2"]
    assert client.get(f"/v1/models/{listed[0]['id']}").json() == listed[0]
    assert client.get("/v1/models/minilm").json() == listed[0]
    assert client.get("/v1/models/none").status_code == 404


def test_only_named_models_are_loaded(client, tmp_path):
    for name in (str(tmp_path), "../x", "openai/text-embedding-3-small", "http://169.254.169.254/", "BAAI/bge-m3"):
        assert embed(client, input="a", model=name).json()["error"]["code"] == "model_not_found"


def test_methods_and_paths(client):
    assert client.put("/v1/embeddings", json={}).headers["allow"] == "POST"
    assert client.get("/v1/nothing").json()["error"]["code"] == "route_not_found"
    assert client.head("/v1/models").status_code == 200
