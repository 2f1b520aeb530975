"""Whether a service can be connected to: one that cannot be is not waited for again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from embassay.embedders.http.faults import FailedAttempt
from embassay.embedders.wrap.breaker import Breaker

CHANCES = 2
"""Attempts to connect to a service that never answered here: waiting does not start it."""
PATIENCE = 10.0
"""Seconds for which one that did answer is tried again: it may be on its way back."""


class Reach:
    """What is known of the way to one service. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._breaker = Breaker(clock=clock)
        self._clock = clock
        self._last: FailedAttempt | None = None
        self._lock = threading.Lock()
        self._answered = False
        self._refusals = 0
        """Since it was reached last."""
        self._since = 0.0
        """When the first of them was."""

    def barred(self) -> FailedAttempt | None:
        """Why nothing is to be sent now: it could not be reached a moment ago. None where it may be tried."""
        return None if self._breaker.admits() else self._last

    def reached(self) -> None:
        """It was connected to, whatever came of that."""
        with self._lock:
            self._answered, self._refusals = True, 0
        self._breaker.succeeded()

    def refused(self, fault: FailedAttempt) -> FailedAttempt:
        """The fault of a connection that could not be made, as it is to be taken: whether to try again."""
        with self._lock:
            now = self._clock()
            if not self._refusals:
                self._since = now
            self._refusals += 1
            late = now - self._since > PATIENCE
            over = late if self._answered else fault.busy or self._refusals >= CHANCES  # busy: the time ran out
        if not over:
            return fault
        self._last = replace(fault, action="stop")
        self._breaker.failed(fault.error)
        return self._last
