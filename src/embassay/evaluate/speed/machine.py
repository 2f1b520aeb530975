"""This machine: what its processor is called, and how fast it computes."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.catalog.machine import QUERY_TOKENS, Machine, flops_per_token
from embassay.config.values import DEFAULT_MODEL
from embassay.errors import ModelError
from embassay.models.provider import load_provider
from embassay.threads import cpu_count

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.types import Role

WARM_UP, ROUNDS, BATCH_ROUNDS = 3, 9, 3
BATCH = 256
"""Texts that are embedded at once to measure how fast the machine computes in batches."""
SCANNED = 64 << 20
"""Bytes read to time a scan: more than any cache holds."""
QUERY = "how long does a password reset link stay valid after it was sent"
"""A query of 16 tokens, the two special ones included."""
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
"""Flags of ``/proc/cpuinfo`` that decide how fast a model runs, and what people call them."""


def processor() -> str:
    """The processor in words: its name, the cores that this process may use, and its fast instructions."""
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
    return f"{name}, {cpu_count()} cores{', ' if fast else ''}{' '.join(fast)}"


@cache
def measure_machine() -> Machine:
    """Measure this machine with the default model, which takes about a second.

    Where the model is not on this machine, nothing is downloaded: the figures of 2 known cores are returned instead.
    """
    from embassay.catalog.catalog import shipped

    card = shipped().models[DEFAULT_MODEL]
    per_token = flops_per_token(card)
    assert per_token
    texts = [f"{QUERY} {at}" for at in range(BATCH)]
    try:
        embedder = _open_offline(card)
        query = least_seconds(embedder, [QUERY], "query", ROUNDS)
        batch = least_seconds(embedder, texts, "document", BATCH_ROUNDS)
    except ModelError:
        return Machine()
    tokens = sum(embedder.tokens.count(texts))
    return Machine(per_token * QUERY_TOKENS / query, per_token * tokens / batch, bandwidth(), measured=True)


def _open_offline(card: ModelCard) -> Embedder:
    """The default model as it is on this machine. Raises ModelError where it is not."""
    import msgspec

    provider = load_provider(card.provider)
    settings = msgspec.convert({"provider": card.provider, "model_id": card.id, "offline": True}, provider.settings)
    return provider.open(settings, card)


def least_seconds(embedder: Embedder, texts: Sequence[str], role: Role, rounds: int) -> float:
    """The shortest time of several rounds to embed `texts`: whatever else the machine does only ever adds time."""
    for _ in range(WARM_UP):
        embedder.embed(texts[:1], role)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        embedder.embed(texts, role)
        times.append(time.perf_counter() - started)
    return min(times)


def bandwidth() -> float:
    """Bytes a second that a dot product reads over vectors which no cache holds."""
    import numpy as np

    vectors = np.ones((SCANNED // (384 * 4), 384), np.float32)
    query = np.ones(384, np.float32)
    vectors @ query
    times = []
    for _ in range(3):
        started = time.perf_counter()
        vectors @ query
        times.append(time.perf_counter() - started)
    return vectors.nbytes / min(times)
