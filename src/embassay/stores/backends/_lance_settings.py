"""Where the tables of Lance are, and from which size on they get an index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BYTES = 4
"""Of a number in float32."""


@dataclass(frozen=True, slots=True)
class LanceSettings:
    """One folder of tables. The sizes are measured; tests make them small, so that they can afford an index."""

    folder: Path
    exact_bytes: int = 256_000_000
    """Vectors up to this size (166,000 of 384 dimensions) are searched exactly, in memory: 107,525 of them take 3.6 ms,
    less than any index of Lance at a recall of 0.99. Above it an IVF_RQ index pays."""
    min_fold: int = 16_384
    """During a run an index is built anew only when more rows than this are outside of it."""

    def pays(self, rows: int, dimensions: int) -> bool:
        """Whether an approximate index is worth its while for so many vectors."""
        return rows * dimensions * BYTES > self.exact_bytes
