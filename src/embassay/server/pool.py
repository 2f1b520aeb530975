"""Threads for what blocks, and those who wait for one: so many, and no more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from embassay.errors import Overloaded

T = TypeVar("T")

MOST_WAITING = 512
"""That wait for a thread; who comes then is told when to come again."""
FIRST_SECONDS = 0.05
"""That a job takes, until the first ones have shown how long."""


class WorkerPool:
    """Belongs to one loop."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._count = ThreadPoolExecutor(threads, name), threads
        self._seconds = FIRST_SECONDS
        self.taken = 0
        """Jobs that run or wait, and that somebody waits for."""

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, in one of the threads. Raises Overloaded where too much waits already."""
        waiting = self.taken - self._count
        if waiting >= MOST_WAITING:
            wait = waiting * self._seconds / self._count
            raise Overloaded(f"{waiting:,} requests wait for their turn already.", wait)

        def timed() -> T:
            started = time.monotonic()
            try:
                return work()
            finally:
                self._seconds += 0.1 * (time.monotonic() - started - self._seconds)

        self.taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, timed)
        finally:
            self.taken -= 1

    def close(self) -> None:
        """End the threads, once what they are at is done."""
        self._threads.shutdown(wait=True)
