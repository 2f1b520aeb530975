"""Texts of many callers in one batch: who gets what, in which order, and what is never computed."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder, hashed
from embassay.embedders.wrap.batched import DEADLINE, Batched, Batching
from embassay.errors import DeadlinePassed, Overloaded, ProviderDown, TextRefused, TextTooLong, UsageError
from embassay.events import SILENCE, BatchRan, Events
from embassay.testing.embedders import check_embedder
from tests.embedders.fakes import Gate, counting

CALLERS = 40


@pytest.fixture
def gate():
    return Gate()


def batched(inner, events=SILENCE, **options) -> Batched:
    return Batched(inner, Batching(**options), events)


def held_up(inner, gate, **options) -> tuple[Batched, threading.Thread]:
    """A model that is at work on one text until the gate is opened, so that whoever comes now waits."""
    embedder = batched(inner, **options)

    def begin():
        with suppress(ProviderDown):
            embedder.embed(["first"], "document")

    first = threading.Thread(target=begin)
    first.start()
    assert gate.came(1)
    return embedder, first


def until(true) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come true")


def test_keeps_the_contract():
    check_embedder(batched(HashEmbedder(64)))
    check_embedder(batched(HashEmbedder(64), tokens=1))


def test_what_waits_goes_together_and_everybody_gets_their_own(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate)
    with ThreadPoolExecutor(CALLERS) as pool:
        asked = [[f"{i} {j}" for j in range(i % 3 + 1)] for i in range(CALLERS)]
        made = [pool.submit(embedder.embed, texts, "document") for texts in asked]
        until(lambda: len(embedder._lanes["document"]._turns) == CALLERS)
        gate.open()
        for texts, one in zip(asked, made, strict=True):
            assert np.array_equal(one.result().vectors, hashed(texts, 64))
            assert len(one.result()) == len(texts)
    first.join()
    assert inner.calls == 2
    embedder.close()


def test_asyncio_waits_without_a_thread(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate)

    async def main():
        threads = threading.active_count()
        calls = [asyncio.ensure_future(embedder.aembed([f"{i}"], "document")) for i in range(CALLERS)]
        await asyncio.sleep(0)
        assert threading.active_count() == threads
        gate.open()
        for i, made in enumerate(await asyncio.gather(*calls)):
            assert np.array_equal(made.vectors, hashed([f"{i}"], 64))

    asyncio.run(main())
    first.join()
    embedder.close()


def test_queries_do_not_wait_behind_documents(gate):
    embedder, first = held_up(counting(gate=gate), gate)
    query = threading.Thread(target=embedder.embed, args=(["query"], "query"))
    query.start()
    assert gate.came(1), "it is computed while the document still is"
    gate.open()
    query.join()
    first.join()
    embedder.close()


def test_a_large_call_does_not_hold_up_small_ones(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate, tokens=50)
    with ThreadPoolExecutor(4) as pool:
        large = pool.submit(embedder.embed, [f"large {i}" + " word" * 200 for i in range(40)], "document")
        until(lambda: embedder.waiting["document"] > 1000)
        small = [pool.submit(embedder.embed, [f"small {i}"], "document") for i in range(3)]
        until(lambda: len(embedder._lanes["document"]._turns) == 43)
        gate.open()
        for one in (large, *small):
            one.result()
    assert max(inner.texts.index(f"small {i}") for i in range(3)) < 10
    assert np.array_equal(large.result().vectors[39], hashed(["large 39" + " word" * 200], 64)[0])
    first.join()
    embedder.close()


def test_what_waits_is_bounded(gate):
    embedder, first = held_up(counting(gate=gate), gate, waiting=100)
    with ThreadPoolExecutor(2) as pool:
        taken = pool.submit(embedder.embed, ["word " * 300], "document")
        until(lambda: embedder.waiting["document"] > 0)
        with pytest.raises(Overloaded) as refused:
            embedder.embed(["word " * 300], "document")
        assert 0 < refused.value.retry_after <= 60
        gate.open()
        assert len(taken.result()) == 1
    first.join()
    assert len(embedder.embed(["word " * 300], "document")) == 1
    embedder.close()


def test_whoever_is_late_is_told_and_nothing_is_computed(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate)

    def late():
        DEADLINE.set(time.monotonic() + 0.01)
        embedder.embed(["late"], "document")

    with ThreadPoolExecutor(1) as pool:
        failed = pool.submit(late)
        until(lambda: embedder.waiting["document"] > 0)
        time.sleep(0.02)
        gate.open()
        with pytest.raises(DeadlinePassed):
            failed.result()
    first.join()
    assert "late" not in inner.texts
    embedder.close()


def test_what_nobody_waits_for_is_not_computed(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate)

    async def main():
        call = asyncio.ensure_future(embedder.aembed(["given up"], "document"))
        other = asyncio.ensure_future(embedder.aembed(["wanted"], "document"))
        await asyncio.sleep(0.01)
        call.cancel()
        gate.open()
        assert len(await other) == 1
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(main())
    first.join()
    assert "wanted" in inner.texts and "given up" not in inner.texts
    embedder.close()


@pytest.mark.parametrize(("error", "kind"), [("refused", TextRefused), ("long", TextTooLong)])
def test_a_bad_text_fails_its_own_call_alone(gate, error, kind):
    inner = counting(gate=gate, limit=50 if error == "long" else None)
    inner.refuses = "bad" if error == "refused" else ""
    embedder, first = held_up(inner, gate)
    bad = "bad" if error == "refused" else "word " * 200
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(embedder.embed, texts, "document", "error") for texts in (["a"], ["b", bad], ["c"])]
        until(lambda: len(embedder._lanes["document"]._turns) == 3)
        gate.open()
        assert len(calls[0].result()) == len(calls[2].result()) == 1
        with pytest.raises(kind) as failed:
            calls[1].result()
    assert failed.value.position == 1
    first.join()
    embedder.close()


def test_an_outage_fails_all_and_asks_once(gate):
    inner = counting(gate=gate)
    embedder, first = held_up(inner, gate)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(embedder.embed, [f"{i}"], "document") for i in range(3)]
        until(lambda: len(embedder._lanes["document"]._turns) == 3)
        inner.fails = True
        gate.open()
        for call in calls:
            with pytest.raises(ProviderDown):
                call.result()
    first.join()
    assert inner.calls == 2
    embedder.close()


def test_an_unknown_role_is_refused_before_anything_waits():
    with pytest.raises(UsageError):
        batched(HashEmbedder(64)).embed(["a"], "passage")


def test_batches_are_told():
    events, told = Events(), []
    events.subscribe(BatchRan, told.append)
    embedder = batched(HashEmbedder(64), events)
    embedder.embed(["a", "b"], "query")
    embedder.close()
    (batch,) = told
    assert (batch.role, batch.requests, batch.texts, batch.failed) == ("query", 1, 2, False)
    assert batch.tokens > 0 and batch.took >= 0 and batch.waited >= 0


def test_closed_it_computes_what_waits_and_begins_anew(gate):
    embedder, first = held_up(counting(gate=gate), gate)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(embedder.embed, ["waits"], "document")
        until(lambda: embedder.waiting["document"] > 0)
        closing = pool.submit(embedder.close)
        gate.open()
        assert len(waiting.result()) == 1
        closing.result()
    first.join()
    assert embedder.idle_seconds >= 0
    assert len(embedder.embed(["again"], "document")) == 1
    embedder.close()
