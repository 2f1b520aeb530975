"""How much a server takes at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from embassay.embedders.wrap.batched import Batching
from embassay.threads import cpu_count

MB = 1 << 20
CORES_A_WORKER = 4
"""Batches that are computed at once share the cores. On two cores one at a time is larger, and costs 2.9 ms of the
processor for each text of 18 tokens of 32 clients where two cost 3.9."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold for every client."""

    body: int = 32 * MB
    """Bytes of a request."""
    inputs: int = 2048
    """Texts of a request."""
    seconds: float = 60.0
    """Until a request is answered, unless it says less itself."""
    threads: int = field(default_factory=lambda: 2 * cpu_count() + 2)
    """Searches and writes at once."""
    batching: Batching = field(default_factory=lambda: Batching(workers=max(1, cpu_count() // CORES_A_WORKER)))
    keep_alive: float = 300.0
    """Seconds for which a model stays loaded that nobody asks; infinite: for ever."""
