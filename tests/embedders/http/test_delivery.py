"""A refused batch is halved, a long text cut or split, and one bad text never stops the others."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from embassay.errors import (
    EmbassayError,
    RequestRefused,
)
from tests.embedders.http.services import EXPECTED, GOOD, TEXTS, model
from tests.servers import Answer, Received, serving


def picky(most: int, status: int, message: str) -> Any:
    def handle(request: Received) -> Answer:
        inputs = request.json["input"]
        return GOOD(request) if len(inputs) <= most else Answer({"error": {"message": message}}, status)

    return handle


TOO_MANY = {
    "OpenAI's token budget": (400, "Requested 453357 tokens, max 300000 tokens per request"),
    "Mistral's inputs": (400, "Too many inputs in request, split into more batches."),
    "TEI's batch": (422, "batch size 40 > maximum allowed batch size 32"),
    "plain 413": (413, "Failed to buffer the request body: length limit exceeded"),
    "old Azure": (400, "Too many inputs. The max number of inputs is 1"),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_too_much_is_halved(name):
    status, message = TOO_MANY[name]
    with serving(picky(2, status, message)) as server:
        made = model(server).embed(TEXTS, "document")
    assert np.allclose(made.vectors, EXPECTED, atol=1e-6)


def no_text(words: str, message: str, status: int = 400) -> Any:
    def handle(request: Received) -> Answer:
        bad = any(words in text for text in request.json["input"])
        return Answer({"error": {"message": message}}, status) if bad else GOOD(request)

    return handle


def test_one_bad_text_is_named_and_the_others_are_made():
    with serving(no_text("number 4", "'$.input' is invalid")) as server:
        embedder = model(server)
        (block,) = embedder.stream(TEXTS, "document")
        assert list(block.refused) == [4]
        assert "is invalid" in block.refused[4]
        assert np.allclose(np.delete(block.vectors, 4, 0), np.delete(EXPECTED, 4, 0), atol=1e-6)
        assert not block.vectors[4].any()
        with pytest.raises(RequestRefused, match="text 4 was refused"):
            embedder.embed(TEXTS, "document")


def test_a_set_up_that_is_refused_is_not_blamed_on_the_texts():
    with serving(lambda r: Answer({"detail": [{"loc": ["x"], "msg": "extra fields not permitted"}]}, 422)) as server:
        with pytest.raises(RequestRefused, match="extra fields not permitted"):
            model(server).embed(TEXTS, "document")
    assert len(server.received) <= 5


def test_one_text_that_no_length_satisfies_does_not_stop_the_others():
    def handle(request: Received) -> Answer:
        bad = any("NEVER" in text for text in request.json["input"])
        return Answer({"error": {"message": "maximum context length"}}, 400) if bad else GOOD(request)

    texts = [*TEXTS, "NEVER" * 3]
    with serving(handle) as server:
        for policy in ("truncate", "split"):
            (block,) = model(server, deadline=60.0).stream(texts, "document", policy)
            assert block.vectors[:7].any(axis=1).all()


def test_the_deadline_holds_for_all_halves_of_a_batch():
    slow = lambda request: Answer({"error": {"message": "no"}}, 400, delay=0.4)  # noqa: E731
    with serving(slow) as server:
        embedder = model(server, deadline=1.0, retries=0)
        embedder.exchange.answered = True
        started = time.monotonic()
        with pytest.raises(EmbassayError):
            embedder.embed([f"t{i}" for i in range(64)], "document")
    assert time.monotonic() - started < 4
