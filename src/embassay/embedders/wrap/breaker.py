"""Remembers that something failed, so that it is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from embassay.errors import EmbassayError

COOL_DOWN, LONGEST = 15.0, 300.0
"""Seconds until what failed is tried again, after the first failure and at most."""


class Breaker:
    """Closed: ask. Open: do not ask; after a pause one caller may try. The pause doubles with every failure."""

    def __init__(self, cool_down: float = COOL_DOWN, clock: Callable[[], float] = time.monotonic) -> None:
        self._cool_down, self._clock = cool_down, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0
        self.cause: EmbassayError | None = None
        """The last failure; None while all is well."""

    def admits(self) -> bool:
        """Whether to ask now. While it is open, only the first caller after the pause gets through."""
        with self._lock:
            if not self._failures:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._cool_down
            return True

    def failed(self, cause: EmbassayError) -> None:
        """Open it."""
        with self._lock:
            self._failures += 1
            self._open_until = self._clock() + min(LONGEST, self._cool_down * 2 ** (self._failures - 1))
            self.cause = cause

    def succeeded(self) -> None:
        """Close it."""
        with self._lock:
            self._failures, self.cause = 0, None
