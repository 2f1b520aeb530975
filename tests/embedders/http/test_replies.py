"""Every reply that services are known to give: good ones are read, nonsense is never a vector."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from embassay.embedders.providers.hash import hashed
from embassay.errors import (
    BadReply,
)
from tests.embedders.http.services import EXPECTED, TEXTS, body, first, model
from tests.servers import Answer, openai_body, serving


def shuffled() -> dict[str, Any]:
    reply = body()
    reply["data"] = [reply["data"][i] for i in (3, 0, 6, 1, 5, 2, 4)]
    return reply


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in body().items() if k != key}


def items(change: Any) -> dict[str, Any]:
    reply = body()
    reply["data"] = [change(at, item) for at, item in enumerate(reply["data"])]
    return reply


GOOD_ANSWERS = {
    "float": Answer(body()),
    "base64": Answer(openai_body(EXPECTED, base64=True)),
    "shuffled index": Answer(shuffled()),
    "no usage": Answer(without("usage")),
    "no index": Answer({"data": [{"embedding": v.tolist()} for v in EXPECTED]}),
    "index from 1": Answer(items(lambda at, item: item | {"index": at + 1})),
    "index from 1, shuffled": Answer(
        {"data": [items(lambda at, item: item | {"index": at + 1})["data"][i] for i in (3, 0, 6, 1, 5, 2, 4)]}
    ),
    "index as text": Answer(items(lambda at, item: item | {"index": str(at)})),
    "numbers as text": Answer(items(lambda at, item: item | {"embedding": [str(x) for x in item["embedding"]]})),
    "nested": Answer(items(lambda at, item: item | {"embedding": [item["embedding"]]})),
    "bare and nested": Answer([{"index": at, "embedding": [v.tolist()]} for at, v in enumerate(EXPECTED)]),
    "an error that is none": Answer(body(error=None)),
    "chunked": Answer(body(), chunked=True),
    "gzip": Answer(gzip.compress(json.dumps(body()).encode()), headers={"Content-Encoding": "gzip"}),
}


UNCOUNTED = ("no usage", "no index", "bare and nested", "index from 1, shuffled")


@pytest.mark.parametrize("name", GOOD_ANSWERS)
def test_replies_that_are_fine(name):
    with serving(first(GOOD_ANSWERS[name])) as server:
        made = model(server).embed(TEXTS, "document")
    assert np.abs(made.vectors - EXPECTED).max() < 1e-6
    assert made.usage.tokens == (None if name in UNCOUNTED else 7)
    assert made.usage.requests == 1


def bare(*parts: np.ndarray) -> dict[str, Any]:
    """Vectors without an index."""
    return {"data": [{"embedding": vector.tolist()} for part in parts for vector in part]}


def same_index() -> dict[str, Any]:
    reply = body()
    reply["data"][1]["index"] = 0
    return reply


NONSENSE = {
    "too few, and nobody says which": (Answer(bare(EXPECTED[:5])), "5 vectors for 1 text"),
    "too many": (Answer(bare(hashed([str(i) for i in range(9)], 64))), "9 vectors for 1 text"),
    "none": (Answer({"data": [], "object": "list"}), "0 vectors for 7 texts"),
    "NaN in base64": (Answer(openai_body(np.full((7, 64), np.nan, np.float32), base64=True)), "null or NaN"),
    "two lengths": (Answer(bare(EXPECTED[:4], EXPECTED[:4, :63])), "different lengths: 63, 64"),
    "beyond float32": (Answer(body(hashed(TEXTS, 64).astype(float) * 1e300)), "NaN or infinity"),
    "lengths beyond float32": (Answer(body(hashed(TEXTS, 64).astype(float) * 1e30)), "beyond float32"),
    "lengths below float32": (Answer(body(hashed(TEXTS, 64).astype(float) * 1e-43)), "zero vector"),
    "zero vectors": (Answer(body(np.zeros((7, 64)))), "zero vector"),
    "index twice": (Answer(same_index()), "indexes"),
    "a vector for each token": (
        Answer([{"index": at, "embedding": [v.tolist()] * 3} for at, v in enumerate(EXPECTED)]),
        "a vector for each token of a text. Start the server with a pooling",
    ),
    "HTML 200": (
        Answer(b"<html><body>Welcome</body></html>"),
        r"a web page \(Welcome\). Check base_url, and whether a proxy",
    ),
    "empty": (Answer(b""), "not what its documentation says"),
    "text for a vector": (
        Answer({"data": [{"embedding": "%%%", "index": i} for i in range(7)]}),
        "not what its documentation",
    ),
    "half a number": (
        Answer({"data": [{"embedding": "AAAAAAA=", "index": i} for i in range(7)]}),
        "no float32 numbers",
    ),
    "another shape": (Answer({"embeddings": [[1.0]]}), "not what its documentation says"),
    "a number": (Answer(b"42"), "not what its documentation says"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_never_a_vector(name):
    answer, words = NONSENSE[name]
    with serving(lambda request: answer) as server, pytest.raises(BadReply, match=words):
        model(server).embed(TEXTS[: 1 if "1 text" in words else 7], "document")
    assert len(server.received) <= 6


def test_other_dimensions_than_before_are_refused():
    with serving(first(Answer(body()), Answer(body(hashed(TEXTS, 32))))) as server:
        embedder = model(server)
        embedder.embed(TEXTS, "document")
        with pytest.raises(BadReply, match="32 dimensions, expected 64"):
            embedder.embed(TEXTS, "document")
