"""The dialect of Text Embeddings Inference over a real server."""

import numpy as np
import pytest

import embassay

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]
LONG = "alpha beta gamma " * 200 + "otters"


def post(client, path, **fields):
    return client.post(path, json=fields)


def rows(reply):
    assert reply.status_code == 200, reply.text
    return np.array(reply.json(), np.float32)


def test_vectors_are_those_of_the_library(client):
    known = embassay.embed(TEXTS, "document")
    for path in ("/embed", "/"):
        reply = post(client, path, inputs=TEXTS)
        assert np.allclose(rows(reply), known.vectors, atol=2e-3)
        assert reply.headers["x-compute-tokens"] == str(sum(known.tokens))
        assert reply.headers["x-compute-characters"] == str(sum(map(len, TEXTS)))
    assert rows(post(client, "/embed", inputs=TEXTS[0])).shape == (1, 384)
    nothing_said = {"truncate": None, "prompt_name": None, "normalize": None, "dimensions": None}
    assert rows(post(client, "/embed", inputs=TEXTS[0], **nothing_said)).shape == (1, 384)


def test_long_texts_are_cut_on_the_side_that_is_named(client):
    cut = rows(post(client, "/embed", inputs=LONG))
    assert np.allclose(cut, rows(post(client, "/embed", inputs=LONG, truncate=True)), atol=2e-3)
    left = rows(post(client, "/embed", inputs=LONG, truncation_direction="left"))[0]
    otters, other = rows(post(client, "/embed", inputs=["otters", LONG[:-6]]))
    assert left @ otters > cut[0] @ otters and left @ other < 0.9999
    reply = post(client, "/embed", inputs=LONG, truncate=False)
    assert reply.status_code == 422 and reply.json()["error_type"] == "Validation"
    assert reply.json()["code"] == "text_too_long"


@pytest.mark.parametrize(
    ("path", "fields", "status", "kind"),
    [
        ("/embed", {"inputs": ""}, 400, "Empty"),
        ("/embed", {"inputs": []}, 400, "Empty"),
        ("/embed", {"inputs": ["a", ""]}, 400, "Empty"),
        ("/embed", {"inputs": 5}, 422, "Validation"),
        ("/embed", {}, 422, "Validation"),
        ("/embed", {"inputs": "a", "dimensions": 5000}, 422, "Validation"),
        ("/embed", {"inputs": "a", "prompt_name": "clustering"}, 422, "Validation"),
        ("/embed", {"inputs": [[9906, 1917]]}, 422, "Validation"),
        ("/embed", {"inputs": "a", "model": "nobody/knows"}, 404, "Validation"),
        ("/embed", {"inputs": ["a"] * 2049}, 422, "Validation"),
        ("/embed_sparse", {"inputs": "a"}, 424, "Backend"),
        ("/predict", {"inputs": "a"}, 424, "Backend"),
        ("/embed_all", {"inputs": "a b c d " * 5000}, 422, "Validation"),
        ("/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}, 400, "Empty"),
        ("/tokenize", {"inputs": ""}, 400, "Empty"),
        ("/tokenize", {"inputs": ["a b " * 50_000, "a b " * 50_000]}, 422, "Validation"),
        ("/decode", {"ids": []}, 400, "Empty"),
        ("/decode", {"ids": [5, 10**9]}, 422, "Validation"),
        ("/decode", {"ids": [5, [6]]}, 422, "Validation"),
    ],
)
def test_what_is_wrong_is_said(client, path, fields, status, kind):
    reply = post(client, path, **fields)
    assert (reply.status_code, reply.json()["error_type"]) == (status, kind), reply.text
    assert reply.json()["error"] and reply.json()["code"]


def test_similarity(client):
    pair = {"source_sentence": TEXTS[1], "sentences": ["Otters hold hands.", "Invoices are due."]}
    near, far = rows(post(client, "/similarity", inputs=pair))
    known = embassay.embed([TEXTS[1], *pair["sentences"]], "document").vectors
    assert np.allclose([near, far], known[1:] @ known[0], atol=2e-3) and near > far
    assert rows(post(client, "/", inputs=pair)).tolist() == pytest.approx([near, far], abs=1e-3)


def test_a_vector_for_each_token(client, minilm):
    made = post(client, "/embed_all", inputs=TEXTS).json()
    states = list(minilm.token_states(TEXTS, "document"))
    for ours, theirs in zip(made, states, strict=True):
        assert np.array(ours).shape == theirs.vectors.shape
        assert (np.einsum("ij,ij->i", np.array(ours), theirs.vectors) > 0.98).all()


def test_tokens_and_back(client):
    (tokens,) = post(client, "/tokenize", inputs="Otters sleep afloat.").json()
    assert tokens[0] == {"id": 101, "text": "[CLS]", "special": True, "start": None, "stop": None}
    assert next(one["text"] for one in tokens[1:-1]) == "Otter" and tokens[-1]["special"]
    assert all("Otters sleep afloat."[one["start"] : one["stop"]] == one["text"] for one in tokens[1:-1])
    ids = [one["id"] for one in tokens]
    assert post(client, "/decode", ids=ids).json() == ["otters sleep afloat."]
    assert post(client, "/decode", ids=[ids, ids], skip_special_tokens=False).json()[1].startswith("[CLS]")
    bare = post(client, "/tokenize", inputs=["Otters sleep afloat."], add_special_tokens=False).json()[0]
    assert bare == tokens[1:-1]
    assert rows(post(client, "/embed", inputs=ids)).shape == (1, 384)


def test_what_the_server_says_of_itself(client):
    info = client.get("/info").json()
    assert info["model_id"] == "sentence-transformers/all-MiniLM-L6-v2" and len(info["model_sha"]) == 64
    assert info["max_input_length"] == 256 and info["max_client_batch_size"] == 2048 and info["auto_truncate"]
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    for path in ("/", "/health", "/ping"):
        reply = client.get(path)
        assert reply.status_code == 200 and reply.content == b""
