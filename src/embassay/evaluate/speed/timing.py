"""How fast a model embeds, on texts of the user's own: after a warm-up, repeated, as median and spread."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings

_T = TypeVar("_T")
INSTRUCTIONS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512_bf16": "bf16",
    "amx_bf16": "AMX",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "sve": "SVE",
}
WARM_UP = 2
QUERIES, HOSTED_QUERIES = 50, 12
"""Queries timed, at most: a hosted model is paid for each."""
THROUGHPUT_SECONDS = 1.5
BATCH = 32


@dataclass(frozen=True, slots=True)
class Throughput:
    """Of batches, on one sample of documents."""

    texts_per_second: float
    tokens_per_second: float


def processor() -> str:
    """Name, cores, and the instructions that decide how fast a model runs here."""
    flags: set[str] = set()
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags |= set(value.split())
    fast = [label for flag, label in INSTRUCTIONS.items() if flag in flags]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores{', ' if fast else ''}{' '.join(fast)}"


def query_ms(embedder: Embedder, queries: Sequence[str]) -> list[float]:
    """Milliseconds to embed each of `queries` alone, in order; none comes from a cache if `embedder` has none."""
    for query in queries[:WARM_UP]:
        embedder.embed([query], "query")
    times = []
    for query in queries:
        started = time.perf_counter()
        embedder.embed([query], "query")
        times.append((time.perf_counter() - started) * 1e3)
    return times


def throughput(embedder: Embedder, texts: Sequence[str], seconds: float = THROUGHPUT_SECONDS) -> Throughput | None:
    """Over batches of `texts` for about `seconds`; None without texts."""
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
    """Tokens that the model read, without what was cut off."""
    return sum(min(count, embedder.tokens.max_tokens) for count in made.tokens)


def spaced(items: Sequence[_T], count: int) -> list[_T]:
    """At most `count` of them, evenly spread."""
    step = max(1, -(-len(items) // count)) if count else 1
    return list(items[::step][:count])
