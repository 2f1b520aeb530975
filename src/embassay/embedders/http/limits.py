"""How fast a provider is asked: requests and tokens per minute, and how many requests at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LONGEST_HOLD = 60.0
"""Seconds that one answer can keep all other requests back: who asks for a day is asked again all the same."""
LOOK = 0.25
"""Seconds after which who waits looks whether the call was given up."""
BURST_SECONDS = 5.0
"""A minute's allowance is handed out in slices of so long, so that no minute sees nearly two."""


class Bucket:
    """A token bucket: `rate` a minute. A need above its size is met when it is full, and leaves a debt."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = rate / 60
        self._size = max(1.0, self._per_second * BURST_SECONDS)
        self._level, self._clock, self._at = self._size, clock, clock()

    def wait(self, need: float) -> float:
        """Seconds until `need` may be taken."""
        now = self._clock()
        self._level = min(self._size, self._level + (now - self._at) * self._per_second)
        self._at = now
        return max(0.0, (min(need, self._size) - self._level) / self._per_second)

    def take(self, need: float) -> None:
        """Take `need` at once, whether it is there or not; what is taken too early is waited for by the next."""
        self._level -= need


class Gate:
    """Admits requests. The number in flight falls by half when the provider is busy and grows back one by one."""

    def __init__(
        self, concurrency: int, requests_per_minute: float | None = None, tokens_per_minute: float | None = None
    ) -> None:
        self._most = max(1, concurrency)
        self.limit = float(self._most)
        self._in_flight = 0
        self._requests = Bucket(requests_per_minute) if requests_per_minute else None
        self._tokens = Bucket(tokens_per_minute) if tokens_per_minute else None
        self._hold_until = 0.0
        self._changed = threading.Condition()

    def enter(self, tokens: int, until: float, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Wait for a place, at most to the moment `until` (monotonic) or until `stopped`; whether there was one."""
        with self._changed:
            while True:
                now = time.monotonic()
                wait = self._wait(tokens, now)
                if wait <= 0:
                    break
                if now + min(wait, 0.01) > until or self._hold_until > until or stopped():
                    return False
                self._changed.wait(min(wait, until - now, LOOK))
            self._in_flight += 1
            if self._requests:
                self._requests.take(1)
            if self._tokens:
                self._tokens.take(tokens)
            return True

    def leave(self, *, busy: bool, hold: float | None = None) -> None:
        """A request came back. `hold`: seconds in which the provider wants none."""
        with self._changed:
            self._in_flight -= 1
            if busy:
                self.limit = max(1.0, self.limit / 2)
            else:
                self.limit = min(float(self._most), self.limit + 1 / self.limit)
            if hold:
                self._hold_until = max(self._hold_until, time.monotonic() + min(hold, LONGEST_HOLD))
            self._changed.notify_all()

    def _wait(self, tokens: int, now: float) -> float:
        if self._in_flight >= int(self.limit):
            return 3600.0  # woken by `leave`
        waits = [self._hold_until - now]
        if self._requests:
            waits.append(self._requests.wait(1))
        if self._tokens:
            waits.append(self._tokens.wait(tokens))
        return max(waits)
