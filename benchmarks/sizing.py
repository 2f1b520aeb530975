"""What scans of vectors take on this machine: the constants of `embassay.catalog.sizing`, and where they come from.

    python -m benchmarks.sizing

Each figure is the best of several rounds over more bytes than a cache holds: float32 by one matrix product, int8
widened block by block, and codes of one bit by counting the bits that differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from embassay.evaluate.speed.machine import processor

DIMENSIONS = 384
ROWS = 200_000
ROUNDS = 5
BLOCK = 4096


def best(run: Callable[[], object]) -> float:
    """The shortest of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print bytes a second, and nanoseconds a row, of each form."""
    random = np.random.default_rng(0)
    full = random.standard_normal((ROWS, DIMENSIONS), np.float32)
    small = (full * 40).astype(np.int8)
    codes = np.packbits(full > 0, axis=1).view(np.uint64)
    query = full[0].copy()
    code = codes[0].copy()

    def widened() -> None:
        for at in range(0, ROWS, BLOCK):
            small[at : at + BLOCK].astype(np.float32) @ query

    forms = {
        "float32": (full.nbytes, lambda: full @ query),
        "int8": (small.nbytes, widened),
        "binary": (codes.nbytes, lambda: np.bitwise_count(codes ^ code).sum(axis=1, dtype=np.uint16)),
    }
    print(processor())
    for name, (size, run) in forms.items():
        seconds = best(run)
        print(f"{name:8} {size / seconds / 1e9:6.2f} GB/s  {seconds / ROWS * 1e9:6.1f} ns a row of {DIMENSIONS}")


if __name__ == "__main__":
    main()
