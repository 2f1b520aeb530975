"""How fast a model embeds, on texts of the user's own: after a warm-up, repeated, as median and spread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings

_T = TypeVar("_T")
WARM_UP = 2
QUERIES, HOSTED_QUERIES = 50, 12
"""Queries timed, at most: a hosted model is paid for each."""
THROUGHPUT_SECONDS = 1.5
BATCH = 32


@dataclass(frozen=True, slots=True)
class Throughput:
    """How much is embedded in a second, in batches, on one sample of documents."""

    texts_per_second: float
    tokens_per_second: float


def query_ms(embedder: Embedder, queries: Sequence[str]) -> list[float]:
    """Milliseconds to embed each of `queries` alone, in their order.

    `embedder` must have no cache, or what is timed is the cache.
    """
    for query in queries[:WARM_UP]:
        embedder.embed([query], "query")
    times = []
    for query in queries:
        started = time.perf_counter()
        embedder.embed([query], "query")
        times.append((time.perf_counter() - started) * 1e3)
    return times


def throughput(embedder: Embedder, texts: Sequence[str], seconds: float = THROUGHPUT_SECONDS) -> Throughput | None:
    """Embed `texts` in batches for about `seconds` and say how much was done in a second; None without texts."""
    if not texts:
        return None
    embedder.embed(texts[:WARM_UP], "document")
    done, tokens, started = 0, 0, time.perf_counter()
    for at in range(0, len(texts), BATCH):
        made = embedder.embed(texts[at : at + BATCH], "document")
        done, tokens = done + len(made), tokens + read_tokens(embedder, made)
        if time.perf_counter() - started > seconds:
            break
    taken = max(time.perf_counter() - started, 1e-9)
    return Throughput(done / taken, tokens / taken)


def read_tokens(embedder: Embedder, made: Embeddings) -> int:
    """How many tokens of the embedded texts the model read, without what was cut off."""
    return sum(min(count, embedder.tokens.max_tokens) for count in made.tokens)


def spaced(items: Sequence[_T], count: int) -> list[_T]:
    """At most `count` of `items`, evenly spread over them and in their order."""
    step = max(1, -(-len(items) // count)) if count else 1
    return list(items[::step][:count])
