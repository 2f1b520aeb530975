"""Embedders that several test files use: one that counts and misbehaves as told, and one that waits for the test."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import islice

import numpy as np

from embassay.embedders.base import Embedder
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import ProviderDown, TextTooLong
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role, Usage

BATCH = 100
TEXTS = [f"text {i}" for i in range(50)]


class Gate:
    """Holds up whoever comes to it until it is opened, and tells when somebody has come."""

    def __init__(self) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()
        self._visitors = threading.Semaphore(0)

    def pass_through(self) -> None:
        self.reached.set()
        self._visitors.release()
        assert self._opened.wait(30), "nobody opened the gate"

    def came(self, count: int) -> bool:
        """Wait until so many have come since this was asked last."""
        return all(self._visitors.acquire(timeout=30) for _ in range(count))

    def open(self) -> None:
        self._opened.set()


class Counting(Wrapper):
    """Counts what reaches the model, and may be priced, short-sighted, failing, held up, or refuse a text."""

    def __init__(
        self, inner: Embedder, *, price: float | None = 0.0, limit: int | None = None, gate: Gate | None = None
    ) -> None:
        super().__init__(inner)
        self.texts: list[str] = []
        self.calls = 0
        self._price, self.limit, self._gate = price, limit, gate
        self.fails = False
        self.refuses = ""
        self._lock = threading.Lock()

    @property
    def price(self) -> float | None:
        return self._price

    @property
    def tokens(self):
        tokens = self.inner.tokens
        if self.limit:
            tokens.max_tokens = self.limit
        return tokens

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        source, start = iter(texts), 0
        while batch := list(islice(source, BATCH)):
            yield self._made(batch, role, on_long, start)
            start += len(batch)

    def _made(self, batch: Sequence[str], role: Role, on_long: OnLong, start: int) -> Embeddings:
        with self._lock:
            self.texts += batch
            self.calls += 1
        if self._gate:
            self._gate.pass_through()
        if self.fails:
            raise ProviderDown("it is down.")
        counts = self.tokens.count(batch)
        long = [n > (self.limit or 1 << 40) for n in counts]
        if on_long == "error" and any(long):
            raise TextTooLong(start + long.index(True), max(counts), self.limit or 0)
        made = HashEmbedder(self.space.dimensions).embed(batch, role)
        refused = {i: "no" for i, text in enumerate(batch) if self.refuses and self.refuses in text}
        made.vectors[list(refused)] = 0
        truncated = [n and on_long == "truncate" for n in long]
        usage = Usage(1, sum(counts), sum(counts) * (self._price or 0) / 1e6)
        return replace(made, tokens=counts, truncated=truncated, usage=usage, refused=refused)


class Same(Counting):
    """Another provider of the same weights, by another name."""

    @property
    def space(self) -> Space:
        return replace(self.inner.space, weights="elsewhere")


class Lengths(Wrapper):
    """The vectors of another model with lengths from a tenth to ten, which count: it is compared by dot product."""

    @property
    def space(self) -> Space:
        return replace(self.inner.space, normalised=False, similarity="dot")

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        source = iter(texts)
        while batch := list(islice(source, BATCH)):
            made = self.inner.embed(batch, role, on_long)
            yield replace(made, vectors=lengthened(batch, made.vectors), space=self.space)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        return Embedder.embed(self, texts, role, on_long)


def lengthened(texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Each row with a length of its text's own, from a tenth to ten."""
    shares = [int.from_bytes(sha256(text.encode()).digest()[:2], "big") / 65535 for text in texts]
    return (rows * np.power(10, 2 * np.array(shares) - 1)[:, None]).astype(np.float32)


def counting(dimensions: int = 64, **options) -> Counting:
    return Counting(HashEmbedder(dimensions), **options)
