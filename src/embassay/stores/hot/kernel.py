"""Products of one vector with many rows, at the speed of the memory that holds them.

The work is simsimd's: it reads rows where they are mapped, without a copy, lets other threads of Python go on, and
computes each row by itself, so that the product of a row is the same number whatever rows stand beside it. Products of
whole numbers are exact.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
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
CHUNK = 1 << 15
"""Rows whose products lie in a core's own cache until they are scaled."""


def products(rows: Any, vector: Any) -> Vectors:
    """float32 (n,): the dot product of each of `rows` (n, dimensions) with `vector` (dimensions,).

    Both are float32, float16 or int8.
    """
    found: Vectors = products_of_each(rows, vector[None])[0]
    return found


def products_of_each(rows: Any, vectors: Any) -> Vectors:
    """float32 (m, n): the same with each of `vectors` (m, dimensions)."""
    if not len(rows) or not len(vectors):
        return np.empty((len(vectors), len(rows)), np.float32)
    rows, vectors = _side_by_side(rows), _side_by_side(vectors)
    # With `out=` it takes a reference from None at each call, which ends a process of Python 3.11 after some thousands.
    found: Vectors = np.asarray(simsimd.cdist(vectors, rows, metric="dot", threads=1, out_dtype="float32"))
    return found


def _side_by_side(numbers: Any) -> Any:
    """The same numbers, each row of them one behind another: simsimd reads on from the first, whatever strides say, and
    so beyond the end of an array that runs backwards, which can end the process."""
    if numbers.flags.aligned and numbers.strides[-1] == numbers.itemsize:
        return numbers
    return np.array(numbers, order="C")


def scaled_products(rows: Any, vector: Any, scales: Vectors, out: Vectors) -> None:
    """Write the product of each row with `vector`, times its scale (n,), to `out` (n,).

    Several threads do it where there is much to do and nobody else is at it.
    """
    if rows.nbytes < SHARED or not _POOL.take():
        _scale(rows, vector, scales, out)
        return
    try:
        _POOL.run(len(rows), lambda part: _scale(rows[part], vector, scales[part], out[part]))
    finally:
        _POOL.give_back()


def _scale(rows: Any, vector: Any, scales: Vectors, out: Vectors) -> None:
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        np.multiply(products(rows[part], vector), scales[part], out=out[part])


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

    def run(self, rows: int, work: Callable[[slice], None]) -> None:
        """Do it for so many rows, of which each thread takes an equal part."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS - 1, thread_name_prefix="embassay-scan")
        count = min(_processors(), THREADS)
        cuts = [rows * at // count for at in range(count + 1)]
        mine, *others = (slice(start, end) for start, end in pairwise(cuts))
        waiting = [self._threads.submit(work, other) for other in others]
        work(mine)
        for one in waiting:
            one.result()


def _processors() -> int:
    """Those that this process may use now."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_POOL = _Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.renew)
