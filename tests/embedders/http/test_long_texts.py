"""Texts above the limit, whether the count here or the refusal there finds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embassay.embedders.providers.hash import hashed
from embassay.errors import (
    EmbassayError,
    TextTooLong,
)
from tests.embedders.http.services import GOOD, LONG, model
from tests.servers import Answer, Received, serving


def limit_words(most: int) -> Any:
    """As OpenAI: 400 for a text above the context."""

    def handle(request: Received) -> Answer:
        if any(len(text.split()) > most for text in request.json["input"]):
            message = f"This model's maximum context length is {most} tokens, however you requested more."
            return Answer({"error": {"message": message, "type": "invalid_request_error"}}, 400)
        return GOOD(request)

    return handle


WORDS_FOR_TOO_LONG = [
    "too many tokens: size limited to 512",
    "Input id 0 has 9000 tokens, exceeding max 8192 tokens",
    "does not fit into the model's context window",
    "input token count is 25000 but the model supports up to 20000",
    "inputs must have less than 128000 characters",
    "Malformed input request: #/texts/0: expected maxLength: 2048",
    "the input is unacceptable",
]


@pytest.mark.parametrize("message", WORDS_FOR_TOO_LONG)
def test_every_way_to_say_too_long(message):
    """The last says nothing of length: a text near the limit is tried shorter all the same."""

    def handle(request: Received) -> Answer:
        long = any(len(text.split()) > 240 for text in request.json["input"])
        return Answer({"message": message}, 400) if long else GOOD(request)

    with serving(handle) as server:
        made = model(server, max_tokens=330).embed(["short", LONG], "document")
    assert list(made.truncated) == [False, True]
    assert made.vectors.any(axis=1).all()


@pytest.mark.parametrize("max_tokens", [64, 4096])
def test_long_texts_under_each_policy(max_tokens):
    """Whether the count here or the refusal there finds it: a cut is always told."""
    with serving(limit_words(80)) as server:
        embedder = model(server, max_tokens=max_tokens)
        made = embedder.embed(["short", LONG, "short too"], "document", on_long="truncate")
        assert list(made.truncated) == [False, True, False]
        assert np.allclose(made.vectors[[0, 2]], hashed(["short", "short too"], 64), atol=1e-6)
        split = embedder.embed(["short", LONG, "short too"], "document", on_long="split")
        assert not any(split.truncated)
        assert np.allclose(split.vectors[[0, 2]], hashed(["short", "short too"], 64), atol=1e-6)
        with pytest.raises(TextTooLong) as caught:
            embedder.embed(["short", LONG, "short too"], "document", on_long="error")
        assert caught.value.position == 1


MILLION = "word " * 1_000_000


def test_a_text_of_a_million_tokens_under_each_policy():
    with serving(limit_words(100_000)) as server:
        embedder = model(server, max_tokens=512)
        made = embedder.embed([MILLION], "document", "truncate")
        assert list(made.truncated) == [True]
        assert made.tokens[0] > 900_000
        assert len(server.received[0].body) < 10_000, "no more is sent than is read"
        split = embedder.embed([MILLION], "document", "split")
        assert list(split.truncated) == [False]
        sent = sum(text.count("word") for r in server.received[1:] for text in r.json["input"])
        assert sent == 1_000_000, "all of it was read, once"
        asked = len(server.received)
        with pytest.raises(TextTooLong, match="tokens, the model takes 512"):
            embedder.embed([MILLION], "document", "error")
        assert len(server.received) == asked


def test_a_million_tokens_for_the_local_engine(minilm):
    assert list(minilm.embed([MILLION], "document", "truncate").truncated) == [True]
    with pytest.raises(TextTooLong):
        minilm.embed([MILLION], "document", "error")


def test_a_prompt_that_leaves_no_room():
    with serving(GOOD) as server, pytest.raises(EmbassayError, match="leaves no room"):
        model(server, max_tokens=4, document_prompt="a prompt of very many words: ").embed([LONG], "document", "split")
