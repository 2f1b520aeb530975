"""Every wrapper keeps the contract, and can be put around what does not remember."""

from __future__ import annotations

from embassay.config.values import Glossary
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.budget import Budget
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.capped import Capped
from embassay.embedders.wrap.chain import Fallback
from embassay.embedders.wrap.coalesced import Coalesced
from embassay.embedders.wrap.cut import Cut
from embassay.embedders.wrap.glossary import Expanded
from embassay.embedders.wrap.wrapper import Wrapper, uncached
from embassay.testing import check_embedder
from tests.embedders.fakes import counting


def test_wrappers_keep_the_contract(cache, minilm):
    check_embedder(Cached(HashEmbedder(64), Keeper(cache)))
    check_embedder(Coalesced(Cached(minilm, Keeper(cache))))
    check_embedder(Expanded(minilm, Glossary(terms={"key": "access key"}, apply_to="both")))
    check_embedder(Fallback({"a": lambda: minilm, "b": lambda: HashEmbedder(384)}))
    check_embedder(Capped(HashEmbedder(64), Budget(1.0)))
    check_embedder(Cut(HashEmbedder(128), 64))


def test_without_memory_everything_else_stays(cache):
    """What is measured is what runs: cut, expanded and capped as before, but every text reaches the model."""
    inner = counting(128, price=1.0)
    budget = Budget(1.0)
    whole = Expanded(Coalesced(Cut(Cached(Capped(inner, budget), Keeper(cache)), 64)), Glossary(terms={"k": "key"}))
    other = uncached(whole)
    for _ in range(2):
        made = other.embed(["k"], "query")
        assert made.space == whole.space
        assert (made.vectors == whole.embed(["k"], "query").vectors).all()
    assert inner.texts == ["k (key)"] * 3, "once for the cached one, twice for the other"
    assert budget.spent > 0
    layers = []
    while isinstance(other, Wrapper):
        layers.append(type(other))
        other = other.inner
    assert layers == [Expanded, Cut, Capped, type(inner)]


def test_nothing_is_rebuilt_where_nothing_remembers():
    embedder = Cut(counting(128), 64)
    assert uncached(embedder) is embedder
