"""This machine: what its processor is called, and how fast it computes, which is measured once and kept."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.catalog.machine import QUERY_TOKENS, Machine, flops_per_token
from embassay.config.values import DEFAULT_MODEL, user_cache
from embassay.errors import HomeNotWritable, ModelError
from embassay.files import write_whole
from embassay.models.provider import load_provider
from embassay.threads import cpu_count
from embassay.version import VERSION

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.types import Role

WARM_UP, ROUNDS, BATCH_ROUNDS = 3, 9, 3
BURSTS, PAUSE = 10, 0.15
"""Rounds are run in bursts with a pause of so many seconds between them: what else the machine does lasts longer than
one burst, and rarely as long as all of them."""
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


def known_machine(*, again: bool = False) -> Machine:
    """This machine as it was measured with the default model, which takes some seconds and is kept for this user.

    It is measured once for each processor, version of this library and engine, and where `again` asks for it. Where the
    model is not on this machine nothing is downloaded or kept: the figures of 2 known cores are returned instead.
    """
    file = _kept_in()
    if not again and (kept := _kept(file)):
        return kept
    measured = _measure()
    if measured.measured:
        with suppress(HomeNotWritable, OSError):  # a full disk costs the next call some seconds
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, jsontext.dumps(measured.to_dict()))
    return measured


def _kept_in() -> Path:
    made_of = f"{processor()} {VERSION} {metadata.version('openvino')} {DEFAULT_MODEL}"
    return user_cache().with_name(f"machine-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.json")


def _kept(file: Path) -> Machine | None:
    """What the file holds; None where it is not there or no figures of a machine."""
    import msgspec

    try:
        kept = msgspec.convert(jsontext.loads(file.read_bytes()), Machine)
        date.fromisoformat(kept.measured_on)
    except (OSError, ValueError):
        return None
    return kept if min(kept.query_flops, kept.batch_flops, kept.bandwidth) > 0 else None


def _measure() -> Machine:
    from embassay.catalog.catalog import shipped_for

    card = shipped_for(DEFAULT_MODEL).models[DEFAULT_MODEL]
    per_token = flops_per_token(card)
    assert per_token
    texts = [f"{QUERY} {at}" for at in range(BATCH)]
    try:
        embedder = _open_offline(card)
    except ModelError:
        return Machine()
    try:
        queries: list[float] = []
        for burst in range(BURSTS):
            time.sleep(PAUSE if burst else 0)
            queries += seconds_of(embedder, [QUERY], "query", ROUNDS)
        query = min(queries)
        batch = least_seconds(embedder, texts, "document", BATCH_ROUNDS)
        tokens = sum(embedder.tokens.count(texts))
    finally:
        embedder.close()
    return Machine(
        float(round(per_token * QUERY_TOKENS / query)),
        float(round(per_token * tokens / batch)),
        float(round(bandwidth())),
        date.today().isoformat(),
        round(median(queries) / query, 2),
    )


def _open_offline(card: ModelCard) -> Embedder:
    """The default model as it is on this machine. Raises ModelError where it is not."""
    import msgspec

    provider = load_provider(card.provider)
    settings = msgspec.convert({"provider": card.provider, "model_id": card.id, "offline": True}, provider.settings)
    return provider.open(settings, card)


def least_seconds(embedder: Embedder, texts: Sequence[str], role: Role, rounds: int) -> float:
    """The shortest time of several rounds to embed `texts`: whatever else the machine does only ever adds time."""
    return min(seconds_of(embedder, texts, role, rounds))


def seconds_of(embedder: Embedder, texts: Sequence[str], role: Role, rounds: int) -> list[float]:
    """The time of each of several rounds to embed `texts`, once the model is warm."""
    for _ in range(WARM_UP):
        embedder.embed(texts[:1], role)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        embedder.embed(texts, role)
        times.append(time.perf_counter() - started)
    return times


def bandwidth() -> float:
    """Bytes a second that a dot product reads over vectors which no cache holds."""
    import numpy as np

    vectors = np.ones((SCANNED // (384 * 4), 384), np.float32)
    query = np.ones(384, np.float32)
    vectors @ query
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        vectors @ query
        times.append(time.perf_counter() - started)
    return vectors.nbytes / min(times)
