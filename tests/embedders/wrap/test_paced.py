"""Texts at a pace: what is due is handed on before the next is waited for."""

from __future__ import annotations

import threading

import numpy as np

from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.paced import Paced

TEXTS = [f"text {n}" for n in range(25)]


def test_blocks_are_those_of_a_second_in_order_and_complete():
    """With `hurry` set nothing is waited for."""
    hurry = threading.Event()
    hurry.set()
    blocks = [*Paced(HashEmbedder(64), 10.0, hurry).stream(iter(TEXTS), "document")]
    assert [len(block) for block in blocks] == [10, 10, 5]
    whole = HashEmbedder(64).embed(TEXTS, "document").vectors
    assert np.array_equal(np.concatenate([block.vectors for block in blocks]), whole)


def test_a_block_comes_before_the_texts_behind_it_are_read():
    read = []

    def texts():
        for text in TEXTS:
            read.append(text)
            yield text

    hurry = threading.Event()
    hurry.set()
    stream = Paced(HashEmbedder(64), 0.5, hurry).stream(texts(), "document")
    assert len(next(stream)) == 1 and len(read) == 1


def test_what_is_waited_for_grows_with_the_texts(monkeypatch):
    waited = []

    class Hurry(threading.Event):
        def wait(self, timeout=None):
            waited.append(timeout)
            return False

    clock = iter(np.arange(0.0, 1e3, 0.01))
    monkeypatch.setattr("embassay.embedders.wrap.paced.time.monotonic", lambda: float(next(clock)))
    assert sum(map(len, Paced(HashEmbedder(64), 10.0, Hurry()).stream(TEXTS, "document"))) == 25
    assert len(waited) == 3 and waited == sorted(waited) and 1.5 < waited[-1] < 2.5, waited
