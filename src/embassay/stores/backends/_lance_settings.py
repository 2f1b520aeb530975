"""Where the tables of Lance are, and from which size on they get an index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embassay.stores.dtypes import BYTES, FLOAT32
from embassay.stores.values import VectorSpec


@dataclass(frozen=True, slots=True)
class LanceSettings:
    """One folder of tables. The sizes are measured; tests make them small, so that they can afford an index."""

    folder: Path
    exact_bytes: int = 256_000_000
    """Vectors up to this size (166,000 of 384 dimensions) are searched exactly, in memory: 107,525 of them take 3.6 ms,
    less than any index of Lance at a recall of 0.99. Above it an IVF_RQ index pays."""
    min_fold: int = 16_384
    """During a run an index is built anew only when more rows than this are outside of it."""

    def is_large(self, rows: int, spec: VectorSpec) -> bool:
        """Whether so many vectors are more than is held in memory as float32."""
        return rows * spec.dimensions * BYTES[FLOAT32] > self.exact_bytes

    def pays(self, rows: int, spec: VectorSpec) -> bool:
        """Whether an approximate index is worth its while for so many vectors. Lance has none over ``int8``."""
        return spec.dtype != "int8" and self.is_large(rows, spec)
