"""Products of one vector with many rows, at the speed of the memory that holds them.

The work is simsimd's: it reads rows where they are mapped, without a copy, lets other threads of Python go on, and
computes each row by itself, so that the product of a row is the same number whatever rows stand beside it. Products of
whole numbers are exact.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import simsimd

if TYPE_CHECKING:
    from embassay.types import Vectors

SHARED = 16 << 20
"""Bytes of rows from which several threads share the work: below it they cost more than they save."""
THREADS = 4
"""More of them wait for the memory."""


def products(rows: Any, vector: Any, out: Vectors | None = None) -> Vectors:
    """float32 (n,): the dot product of each of `rows` (n, dimensions) with `vector` (dimensions,).

    Both are float32, or both int8. With `out` the products are written there.
    """
    if out is None:
        out = np.empty(len(rows), np.float32)
    if len(rows):
        simsimd.cdist(vector[None], rows, metric="dot", threads=1, out=out[None])
    return out


def shared_products(rows: Any, vector: Any, out: Vectors) -> Vectors:
    """The same, by several threads where there is much to do and nobody else is at it."""
    if rows.nbytes < SHARED or not _POOL.take():
        return products(rows, vector, out)
    try:
        return _POOL.run(rows, vector, out)
    finally:
        _POOL.give_back()


class _Pool:
    """Threads that one search at a time may take. Searches that run at once already use all processors."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew: a forked process has no threads, and may have a lock that one of its parent's holds."""
        self._free = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def take(self) -> bool:
        return _processors() > 1 and self._free.acquire(blocking=False)

    def give_back(self) -> None:
        self._free.release()

    def run(self, rows: Any, vector: Any, out: Vectors) -> Vectors:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS - 1, thread_name_prefix="embassay-scan")
        parts = min(_processors(), THREADS)
        cuts = [len(rows) * at // parts for at in range(parts + 1)]
        waiting = [
            self._threads.submit(products, rows[start:end], vector, out[start:end]) for start, end in pairwise(cuts[1:])
        ]
        products(rows[: cuts[1]], vector, out[: cuts[1]])
        for one in waiting:
            one.result()
        return out


def _processors() -> int:
    """Those that this process may use now."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_POOL = _Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.renew)
