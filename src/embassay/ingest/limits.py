"""What reading one file may take, at most."""

from __future__ import annotations

import math
from dataclasses import dataclass

from embassay.errors import UsageError

SECONDS_PER_MB = 4.0
"""Of a file, on top of `ReadLimits.seconds`: a book of a thousand pages takes long, and is large."""
GROWTH, GROWTH_BYTES = 20, 500_000
"""A file gives at most so many times its own size as text, and so many bytes more: a small file that unpacks to a
library is a bomb, or nothing that anybody wrote."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of reading one file; what goes beyond is quarantined with that reason, and the run goes on."""

    seconds: float = 8.0
    """Of computing without a document read, and 4 s more for each MB of the file; twice as many of waiting."""
    memory_mb: float = 768.0
    """Of the process that reads, in 10^6 bytes."""
    text_mb: float = 32.0
    """Of text from one file, in 10^6 bytes of UTF-8; a small file may give less, see `text_bytes`."""

    def __post_init__(self) -> None:
        """Raises UsageError for a limit that nothing could be read within."""
        for name, least in (("seconds", 0.1), ("memory_mb", 64.0), ("text_mb", 0.001)):
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= 1e6):
                raise UsageError(f"read_{name} is {value:g}; it must be between {least:g} and 1,000,000.")

    def seconds_for(self, size: int) -> float:
        """How long a file of `size` bytes may take."""
        return self.seconds + SECONDS_PER_MB * size / 1e6

    def text_bytes(self, size: int, *, streams: bool = False) -> int:
        """How many bytes of text a file of `size` bytes may give; one that `streams` may be of any size."""
        allowed = GROWTH_BYTES + GROWTH * size
        return int(allowed if streams else min(self.text_mb * 1e6, allowed))


DEFAULT_LIMITS = ReadLimits()
