"""Who listens is told what is embedded; nobody else pays for it."""

from __future__ import annotations

from embassay.config.values import Config
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.observed import Observed
from embassay.events import Embedded, Events
from embassay.models.registry import Registry
from embassay.testing import check_embedder
from tests.embedders.fakes import counting


def test_calls_and_blocks_are_told(cache):
    events, heard = Events(), []
    embedder = Observed(Cached(counting(price=10.0), Keeper(cache)), events)
    embedder.embed(["nobody listens"], "query")
    stop = events.subscribe(Embedded, heard.append)
    embedder.embed(["a", "b"], "query")
    embedder.embed(["a", "c"], "query")
    assert [(e.model, e.role, e.texts, e.cached) for e in heard] == [("hash/64", "query", 2, n) for n in (0, 1)]
    assert heard[1].usd > 0
    heard.clear()
    blocks = list(embedder.stream([f"text {i}" for i in range(250)], "document"))
    assert [e.texts for e in heard] == [len(block) for block in blocks]
    assert {e.role for e in heard} == {"document"}
    stop()
    embedder.embed(["d"], "query")
    assert sum(e.texts for e in heard) == 250


def test_it_keeps_the_contract():
    events = Events()
    events.subscribe(Embedded, lambda event: None)
    check_embedder(Observed(HashEmbedder(64), events))


def test_a_registry_tells_its_events():
    events, heard = Events(), []
    events.subscribe(Embedded, heard.append)
    with Registry(Config(), events=events) as models:
        models.register("own", HashEmbedder(64))
        models.get("hash/64").embed(["a"], "query")
        models.get("own").embed(["a", "b"], "document")
        models.bare("hash/64").embed(["a"], "query")
    assert [(e.role, e.texts) for e in heard] == [("query", 1), ("document", 2)]
