"""What a provider has answered is kept at once, whatever becomes of the call that asked."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.wrap.cached import Cached
from embassay.errors import KeyRejected
from tests.embedders.http.services import GOOD, model
from tests.servers import Answer, Received, serving

TEXTS = [f"text {i}" for i in range(9)]


def test_batches_before_a_failure_are_not_asked_for_again(cache):
    state = {"asked": 0, "fails": True}

    def handle(request: Received) -> Answer:
        state["asked"] += 1
        if state["fails"] and state["asked"] > 2:
            return Answer({"error": {"message": "no"}}, 401)
        return GOOD(request)

    def embedder() -> Cached:
        keeper = Keeper(cache)
        settings = {"batch_size": 3, "concurrency": 1, "retries": 0, "dimensions": 64}
        return Cached(model(server, keeper=keeper, **settings), keeper)

    with serving(handle) as server:
        with pytest.raises(KeyRejected):
            embedder().embed(TEXTS, "document")
        server.received.clear()
        state["fails"] = False
        made = embedder().embed(TEXTS, "document")
        assert [text for request in server.received for text in request.json["input"]] == TEXTS[6:]
    assert np.allclose(made.vectors, hashed(TEXTS, 64), atol=1e-6)
    assert made.usage.cached == 6


def test_a_whole_text_that_the_service_had_cut_is_kept_as_cut(cache):
    """It is found again where texts may be cut, and nowhere else."""

    def handle(request: Received) -> Answer:
        long = any(len(text) > 20 for text in request.json["input"])
        return Answer({"error": {"message": "maximum context length"}}, 400) if long else GOOD(request)

    with serving(handle) as server:
        keeper = Keeper(cache)
        embedder = Cached(model(server, keeper=keeper, dimensions=64), keeper)
        long = "word " * 8
        assert list(embedder.embed(["short", long], "document").truncated) == [False, True]
        asked = len(server.received)
        assert list(embedder.embed(["short", long], "document").truncated) == [False, True]
        assert len(server.received) == asked
        assert not any(embedder.embed([long], "document", "split").truncated)
        assert len(server.received) > asked


def test_without_a_keeper_nothing_is_kept(cache):
    with serving(GOOD) as server:
        model(server, dimensions=64).embed(TEXTS, "document")
    assert cache.stats().entries == 0
