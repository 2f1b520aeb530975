"""Cohere's embeddings over a real server, and those of Voyage and Jina at OpenAI's path."""

import base64

import numpy as np
import pytest

import embassay

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]
DOCUMENT = {"input_type": "search_document"}


def post(client, path="/v2/embed", **fields):
    return client.post(path, json=fields)


@pytest.fixture(scope="module")
def known():
    return embassay.embed(TEXTS, "document")


def test_every_type_is_made_of_the_same_vectors(client, known):
    types = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    made = post(client, texts=TEXTS, embedding_types=types, **DOCUMENT).json()
    got = {kind: made["embeddings"][kind] for kind in types}
    floats = np.array(got["float"], np.float32)
    assert np.allclose(floats, known.vectors, atol=2e-3)
    assert [np.frombuffer(base64.b64decode(one), "<f4").tolist() for one in got["base64"]] == floats.tolist()
    small = np.array(got["int8"])
    assert np.abs(small).max(axis=1).tolist() == [127, 127] and (np.array(got["uint8"]) - 128 == small).all()
    lengths = np.linalg.norm(small, axis=1) * np.linalg.norm(floats, axis=1)
    assert (np.einsum("ij,ij->i", small, floats) / lengths > 0.999).all()
    bits = np.unpackbits(np.array(got["ubinary"], np.uint8), axis=1)
    assert (bits == (floats > 0)).all() and (np.array(got["ubinary"]) - 128 == np.array(got["binary"])).all()
    assert made["response_type"] == "embeddings_by_type" and made["texts"] == TEXTS
    assert made["meta"]["billed_units"] == {"input_tokens": sum(known.tokens)}


def test_inputs_and_the_older_form(client, known):
    inputs = [{"content": [{"type": "text", "text": text}]} for text in TEXTS]
    made = post(client, inputs=inputs, **DOCUMENT).json()
    assert np.allclose(made["embeddings"]["float"], known.vectors, atol=2e-3)
    older = post(client, "/v1/embed", texts=TEXTS).json()
    assert older["response_type"] == "embeddings_floats" and np.allclose(older["embeddings"], known.vectors, atol=2e-3)
    assert "float" in post(client, "/v1/embed", texts=TEXTS, embedding_types=["float"]).json()["embeddings"]


def test_long_texts_are_cut_on_the_side_that_is_named(client):
    long = "alpha beta gamma " * 200 + "otters"
    made = {
        side: np.array(post(client, texts=[long], truncate=side, **DOCUMENT).json()["embeddings"]["float"][0])
        for side in ("START", "END")
    }
    assert made["START"] @ made["END"] < 0.9999
    refused = post(client, texts=[long], truncate="NONE", **DOCUMENT)
    assert refused.status_code == 400 and refused.json()["code"] == "text_too_long"
    short = post(client, texts=[long], max_tokens=8, **DOCUMENT).json()["embeddings"]["float"]
    known = embassay.embed([long[: long.index("alpha", 20)].strip()], "document").vectors
    assert post(client, texts=[long], max_tokens=8, **DOCUMENT).json()["meta"]["billed_units"]["input_tokens"] <= 8
    assert np.array(short)[0] @ known[0] > 0.9


@pytest.mark.parametrize(
    "fields",
    [
        {"texts": TEXTS},
        {"texts": TEXTS, "input_type": "clustering"},
        {"texts": TEXTS, "input_type": "image"},
        {"texts": [], **DOCUMENT},
        {"texts": ["a", ""], **DOCUMENT},
        {**DOCUMENT},
        {"texts": TEXTS, "inputs": [], **DOCUMENT},
        {"images": ["data:image/png;base64,"], "input_type": "image"},
        {"inputs": [{"content": [{"type": "image_url"}]}], **DOCUMENT},
        {"texts": TEXTS, "embedding_types": ["float16"], **DOCUMENT},
        {"texts": TEXTS, "output_dimension": 128, **DOCUMENT},
        {"texts": TEXTS, "truncate": "MIDDLE", **DOCUMENT},
    ],
)
def test_what_is_wrong_is_said(client, fields):
    reply = post(client, **fields)
    assert reply.status_code == 400 and reply.json()["message"] and reply.json()["id"], reply.text
    if fields.get("input_type") == "clustering" or "input_type" not in fields:
        assert "query" in reply.json()["message"] and "document" in reply.json()["message"]


def test_the_extra_fields_of_voyage_and_jina(client, known):
    asked = {"model": "minilm", "input": TEXTS}

    def vectors(**fields):
        reply = post(client, "/v1/embeddings", **asked, **fields)
        assert reply.status_code == 200, reply.text
        return [one["embedding"] for one in reply.json()["data"]]

    packed = vectors(input_type="document", truncation=True, output_dtype="int8", encoding_format="base64")
    assert np.frombuffer(base64.b64decode(packed[0]), np.int8).tolist() == vectors(output_dtype="int8")[0]
    assert vectors(embedding_type="ubinary", task="retrieval.passage") == vectors(output_dtype="ubinary")
    assert isinstance(vectors(embedding_type="base64")[0], str)
    objects = post(client, "/v1/embeddings", model="minilm", input=[{"text": text} for text in TEXTS])
    assert np.allclose([one["embedding"] for one in objects.json()["data"]], known.vectors, atol=2e-3)
    assert post(client, "/v1/embeddings", **asked, late_chunking=True).status_code == 400
