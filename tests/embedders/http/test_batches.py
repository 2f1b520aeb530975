"""Texts go out in batches that the provider takes, as many at once as it bears."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from embassay.embedders.providers.hash import hashed
from embassay.errors import (
    KeyRejected,
)
from tests.embedders.http.services import GOOD, model
from tests.servers import Answer, Received, hash_openai, serving


def test_batches_keep_both_limits():
    texts = ["word " * 40] * 30
    with serving(GOOD) as server:
        model(server, batch_size=10, batch_tokens=200).embed(texts, "document")
    sizes = [len(r.json["input"]) for r in server.received]
    assert sum(sizes) == 30
    assert max(sizes) <= 5


def test_a_hundred_thousand_texts_in_one_call():
    texts = [f"{i}" for i in range(100_000)]
    with serving(hash_openai(8)) as server:
        made = model(server, batch_size=2048).embed(texts, "document")
    assert made.vectors.shape == (100_000, 8)
    some = [0, 2047, 2048, 54_321, 99_999]
    assert np.allclose(made.vectors[some], hashed([texts[i] for i in some], 8), atol=1e-6)


def test_concurrency_falls_when_it_is_too_much_and_nothing_is_lost():
    def handle(request: Received) -> Answer:
        busy = server.in_flight > 2
        return Answer(b"{}", 429, {"Retry-After": "0.05"}) if busy else Answer(GOOD(request).body, delay=0.02)

    texts = [f"t{i}" for i in range(60)]
    with serving(handle) as server:
        embedder = model(server, batch_size=1, concurrency=16, deadline=30.0)
        made = embedder.embed(texts, "document")
        assert np.allclose(made.vectors, hashed(texts, 64), atol=1e-6)
        assert embedder.exchange.attempts.gate.limit < 16


def test_requests_per_minute_are_kept():
    with serving(GOOD) as server:
        started = time.monotonic()
        model(server, batch_size=1, requests_per_minute=600.0).embed([f"t{i}" for i in range(60)], "document")
    assert time.monotonic() - started > 0.8  # 50 at once, then ten a second


def test_streams_that_end_early_never_hang():
    """Closing drops what is queued while the workers take from the same queue."""
    bad = Answer({"error": {"message": "no"}}, 401)
    sys.setswitchinterval(1e-5)
    try:
        with serving(lambda request: bad) as server:
            for _ in range(40):
                patient = model(server, batch_size=4, retries=0, timeout=60.0, deadline=300.0)
                with pytest.raises(KeyRejected):
                    patient.embed([f"t{i}" for i in range(400)], "document")
    finally:
        sys.setswitchinterval(0.005)


def test_blank_texts_are_not_sent():
    texts = ["", "one", "  \n\t", "two", "\u00a0"]
    with serving(GOOD) as server:
        made = model(server).embed(texts, "document")
    assert [r.json["input"] for r in server.received] == [["one", "two"]]
    assert np.allclose(made.vectors[[1, 3]], hashed(["one", "two"], 64), atol=1e-6)
    assert not made.vectors[[0, 2, 4]].any()
    assert made.tokens[0] == 0


def test_only_blank_texts():
    with serving(GOOD) as server:
        embedder = model(server)
        assert embedder.space.dimensions == 64
        assert embedder.embed(["", " "], "query").vectors.shape == (2, 64)
        assert embedder.embed([], "query").vectors.shape == (0, 64)


def test_a_text_with_half_a_surrogate():
    with serving(GOOD) as server:
        made = model(server).embed(["fine", "half \ud83d"], "document")
    assert made.vectors.any(axis=1).all()
