"""How much a key may take in a minute: the arithmetic alone, on one number for each limit.

A limit of N a minute is a bucket that holds N and is filled evenly, N / 60 a second: who has rested for a minute may
take all of it at once. What is taken is kept as the moment at which the bucket will be full again (the generic cell
rate algorithm of ITU-T I.371), in seconds of the monotonic clock, so that no wall clock that is set takes part. That
clock is the same for all processes since the machine was started. A moment that is too far ahead to be true was written
before the last start, and the bucket is taken for full.
"""

from __future__ import annotations

from dataclasses import dataclass

WINDOW = 60.0
"""Seconds over which a limit is counted."""
MOST_DEBT = WINDOW
"""Seconds beyond the window that a request may put the bucket into debt, where it took more than it was let in for."""


@dataclass(frozen=True, slots=True)
class PerMinute:
    """Most that may be taken in a minute; None for as much as one likes."""

    requests: int | None = None
    tokens: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.requests is not None or self.tokens is not None


UNLIMITED = PerMinute()


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What is left of one limit."""

    limit: int
    remaining: int
    reset: float
    """Seconds until all of it is there again."""


def wait_for(stored: float, now: float, amount: float, limit: int) -> float:
    """Seconds until `amount`, at most the limit itself, can be taken; 0 where it can be now."""
    wait = full_at(stored, now) + amount * WINDOW / limit - (now + WINDOW)
    return wait if wait > 1e-6 else 0.0  # not for what floating point adds


def after(stored: float, now: float, amount: float, limit: int) -> float:
    """When the bucket is full once `amount` is taken; a negative amount is given back."""
    return max(now, min(full_at(stored, now) + amount * WINDOW / limit, now + WINDOW + MOST_DEBT))


def left_over(stored: float, now: float, limit: int) -> LeftOver:
    """What is left."""
    reset = full_at(stored, now) - now
    return LeftOver(limit, max(0, int(limit * (1 - reset / WINDOW) + 1e-6)), reset)


def full_at(stored: float, now: float) -> float:
    """The moment at which a bucket is full, never before `now`; `stored` may be from before the machine was started."""
    return stored if now < stored <= now + WINDOW + MOST_DEBT else now


def spoken(seconds: float) -> str:
    """A time as OpenAI's headers have it: ``12ms``, ``1.5s``, ``6m0s``."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds // 60)}m{seconds % 60:.0f}s"
