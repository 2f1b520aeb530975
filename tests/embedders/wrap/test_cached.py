"""Vectors are looked up before they are made."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.config.values import Glossary
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.cut import Cut
from embassay.embedders.wrap.glossary import Expanded
from embassay.errors import TextTooLong
from tests.embedders.fakes import TEXTS, Counting, counting


def test_nothing_is_made_twice(cache):
    inner = counting()
    cached = Cached(inner, Keeper(cache))
    first = cached.embed(TEXTS, "document")
    second = cached.embed([*TEXTS, "new"], "document")
    assert len(inner.texts) == 51
    assert (second.vectors[:50] == first.vectors).all()
    assert (first.usage.cached, second.usage.cached) == (0, 50)
    assert list(second.tokens)[:50] == list(first.tokens)


def test_role_space_and_precision_are_part_of_the_key(cache):
    inner = counting()
    cached = Cached(inner, Keeper(cache))
    cached.embed(["a"], "document")
    cached.embed(["a"], "query")
    Cached(counting(128), Keeper(cache)).embed(["a"], "document")
    assert inner.texts == ["a", "a"]

    class Int8(Counting):
        precision = "int8"

    other = Int8(HashEmbedder(64))
    Cached(other, Keeper(cache)).embed(["a"], "document")
    assert other.texts == ["a"], "a vector of another precision is not what was asked for"


def test_a_text_that_comes_again_is_asked_for_once(cache):
    inner = counting()
    texts = [f"text {i % 300}" for i in range(5000)]
    blocks = list(Cached(inner, Keeper(cache)).stream(iter(texts), "document"))
    vectors = np.concatenate([b.vectors for b in blocks])
    assert (vectors == hashed(texts, 64)).all()
    assert sorted(inner.texts) == sorted(set(texts))


@pytest.mark.parametrize("known", [0, 1, 7, 1000, 1024, 2500, 40_000])
def test_streams_of_found_and_missing_in_any_mixture(cache, known):
    texts = [f"text {i}" for i in range(40_000)]
    rng = np.random.default_rng(known)
    some = sorted(rng.choice(len(texts), known, replace=False))
    Cached(counting(), Keeper(cache)).embed([texts[i] for i in some], "document")
    inner = counting()
    blocks = list(Cached(inner, Keeper(cache)).stream(iter(texts), "document"))
    assert (np.concatenate([b.vectors for b in blocks]) == hashed(texts, 64)).all()
    assert len(inner.texts) == len(texts) - known
    assert sum(b.usage.cached for b in blocks) == known


def test_policies_do_not_share_vectors_of_long_texts(cache):
    inner = counting(limit=5)
    cached = Cached(inner, Keeper(cache))
    long = "word " * 20
    assert list(cached.embed(["a", long], "document", "truncate").truncated) == [False, True]
    assert list(cached.embed(["a", long], "document", "truncate").truncated) == [False, True]
    assert inner.texts == ["a", long]
    assert not any(cached.embed(["a", long], "document", "split").truncated)
    with pytest.raises(TextTooLong) as caught:
        Cached(inner, Keeper(cache)).embed(["b", "a", long], "document", "error")
    assert caught.value.position == 2
    with pytest.raises(TextTooLong) as caught:
        list(Cached(counting(limit=5), Keeper(cache)).stream(["a", "x", "y", long], "document", "error"))
    assert caught.value.position == 3


def test_another_limit_is_another_vector_for_a_long_text(cache):
    long = "word " * 20
    assert list(Cached(counting(limit=5), Keeper(cache)).embed([long], "document").truncated) == [True]
    wide = counting(limit=500)
    made = Cached(wide, Keeper(cache)).embed([long], "document")
    assert list(made.truncated) == [False]
    assert wide.texts == [long]
    with pytest.raises(TextTooLong):
        Cached(counting(limit=5), Keeper(cache)).embed([long], "document", "error")


def test_policies_do_not_push_each_other_out(cache):
    inner = counting(limit=5)
    long = "word " * 20
    for policy in ("truncate", "split", "truncate", "split"):
        Cached(inner, Keeper(cache)).embed([long], "document", policy)
    assert len(inner.texts) == 2


def test_what_is_cut_or_expanded_comes_from_the_cache_as_well(cache):
    for wrap in (
        lambda e: Cut(e, 32),
        lambda e: Expanded(e, Glossary(terms={"JWT": "JSON Web Token"}, apply_to="both")),
    ):
        inner = counting(64)
        embedder = wrap(Cached(inner, Keeper(cache)))
        made = embedder.embed(["a JWT"], "document")
        asked = len(inner.texts)
        found = embedder.embed(["a JWT"], "document")
        assert len(inner.texts) == asked
        assert (found.vectors == made.vectors).all()
        assert found.space == made.space == embedder.space


def test_refused_texts_are_not_kept(cache):
    inner = counting()
    inner.refuses = "text 3"
    (block,) = Cached(inner, Keeper(cache)).stream(["text 1", "text 3", "text 1", "text 3"], "document")
    assert dict(block.refused) == {1: "no", 3: "no"}
    inner.refuses = ""
    assert Cached(inner, Keeper(cache)).embed(["text 3"], "document").vectors.any()


def test_what_is_old_is_forgotten(cache):
    inner = counting()
    Cached(inner, Keeper(cache)).embed(["a"], "document")
    Cached(inner, Keeper(cache, ttl=3600)).embed(["a"], "document")
    assert inner.texts == ["a"]
    Cached(inner, Keeper(cache, ttl=-1)).embed(["a"], "document")
    assert inner.texts == ["a", "a"]
