"""A text that many ask for at once is embedded once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.coalesced import Coalesced
from embassay.errors import ProviderDown, TextRefused, TextTooLong
from tests.embedders.fakes import TEXTS, Counting, Gate, counting

CALLS, THREADS = 1000, 64


def test_a_thousand_calls_of_fifty_texts_are_fifty(cache):
    """All of them wait for the first: it is held at the gate until everybody else has asked."""
    gate = Gate()
    inner = counting(gate=gate)
    embedder = Coalesced(Cached(inner, Keeper(cache)))
    asked = threading.Barrier(THREADS + 1, timeout=30)

    def call(i: int):
        if i < THREADS:
            asked.wait()
        return embedder.embed([TEXTS[i % 50]], "query")

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(call, i) for i in range(CALLS)]
        asked.wait()
        gate.open()
        made = [future.result() for future in futures]
    assert sorted(inner.texts) == sorted(TEXTS)
    assert all((m.vectors[0] == hashed([TEXTS[i % 50]], 64)[0]).all() for i, m in enumerate(made))


def waiting_for(embedder: Coalesced, inner: Counting, text: str) -> bool:
    """Whether the model is at work on `text` for somebody: whoever asks for it now waits for that."""
    return text in inner.texts and any(key[0] == text for key in embedder._flying)


def test_overlapping_calls_share_what_they_have_in_common():
    gate = Gate()
    inner = counting(gate=gate)
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embedder.embed, ["a", "b", "c"], "query")
        assert gate.reached.wait(30)
        assert waiting_for(embedder, inner, "b")
        two = pool.submit(embedder.embed, ["b", "d", "b"], "query")
        assert gate.came(2)
        gate.open()
        assert (two.result().vectors == hashed(["b", "d", "b"], 64)).all()
        one.result()
    assert sorted(inner.texts) == ["a", "b", "c", "d"]


def test_a_failure_reaches_everybody_and_is_not_remembered():
    gate = Gate()
    inner = counting(gate=gate)
    inner.fails = True
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(embedder.embed, ["a"], "query") for _ in range(4)]
        assert gate.reached.wait(30)
        gate.open()
        assert [type(f.exception()) for f in futures] == [ProviderDown] * 4
    inner.fails = False
    assert embedder.embed(["a"], "query").vectors.any()


def test_another_callers_refusal_is_not_ours():
    gate = Gate()
    inner = counting(gate=gate)
    inner.refuses = "BAD"
    embedder = Coalesced(inner)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(embedder.embed, ["good", "BAD"], "query")
        assert gate.reached.wait(30)
        assert waiting_for(embedder, inner, "good")
        two = pool.submit(embedder.embed, ["good"], "query")
        gate.open()
        assert two.result().vectors.any()
        with pytest.raises(TextRefused, match="text 1 was refused"):
            one.result()
    assert not embedder._flying


def test_positions_survive_repeated_and_cached_texts(cache):
    inner = counting(limit=5)
    embedder = Coalesced(Cached(inner, Keeper(cache)))
    embedder.embed(["known"], "query")
    with pytest.raises(TextTooLong) as caught:
        embedder.embed(["a", "a", "known", "word " * 20], "query", "error")
    assert caught.value.position == 3
    inner.refuses = "BAD"
    with pytest.raises(TextRefused) as refused:
        embedder.embed(["a", "a", "known", "BAD"], "query")
    assert refused.value.position == 3


def test_what_one_caller_changes_others_do_not_see():
    gate = Gate()
    inner = counting(gate=gate)
    embedder = Coalesced(inner)

    def spoil():
        made = embedder.embed(["a"], "query")
        made.vectors[:] = 0

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(spoil)
        assert gate.reached.wait(30)
        others = [pool.submit(embedder.embed, ["a"], "query") for _ in range(7)]
        gate.open()
        first.result()
        assert all(other.result().vectors.any() for other in others)
