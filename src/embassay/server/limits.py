"""How much a server takes at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from embassay.embedders.wrap.batched import Batching
from embassay.threads import cpu_count

MB = 1 << 20


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
    batching: Batching = field(default_factory=lambda: Batching(workers=2))
    keep_alive: float = 300.0
    """Seconds for which a model stays loaded that nobody asks; infinite: for ever."""
