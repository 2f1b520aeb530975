"""Work that a few may do at once, while others wait for their turn, up to a bound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embassay.errors import Overloaded

FIRST_RATE = 50.0
"""Texts a second, until the first calls have shown how many."""


class Turns:
    """Belongs to one loop. Those who wait are let in in the order in which they came."""

    def __init__(self, at_once: int, most: int) -> None:
        """`most`: texts that may wait."""
        self._free = asyncio.Semaphore(at_once)
        self._most = most
        self._rate = FIRST_RATE
        self.waiting = 0
        """Texts that wait."""

    @asynccontextmanager
    async def taken(self, texts: int) -> AsyncIterator[None]:
        """Wait for a turn, and have it as long as the block lasts.

        Raises Overloaded where too much waits already; what comes first is taken whatever its size.
        """
        if self.waiting and self.waiting + texts > self._most:
            wait = (self.waiting + texts - self._most) / self._rate
            raise Overloaded(f"{self.waiting:,} texts wait to be scored already.", wait)
        self.waiting += texts
        try:
            await self._free.acquire()
        finally:
            self.waiting -= texts
        started = time.monotonic()
        try:
            yield
        finally:
            self._free.release()
            took = time.monotonic() - started
            self._rate += 0.2 * (texts / max(took, 1e-3) - self._rate)
