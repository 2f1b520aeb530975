"""The changes that wait to be indexed: threads that hear of them add, and whoever indexes takes.

A path is due once nothing more was heard of it for a moment, because it may still be being written; one that never
comes to rest is due from time to time. What could not be indexed is put back, so that no failure loses a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

QUIET_SECONDS = 0.2
"""Nothing was heard of a path for so long: it has been written."""
LONGEST_SECONDS = 5.0
"""A path of which something is heard all the time, such as a log, waits no longer than this."""
MOST = 100_000
"""Paths that are remembered one by one; where more change, everything is looked at."""
EVERYTHING = ""
"""Stands among the paths for all of them."""


@dataclass(frozen=True, slots=True)
class Due:
    """Changes to look into now."""

    paths: frozenset[str] = frozenset()
    everything: bool = False
    """Whether more may have changed than `paths` tell."""


class Pending:
    """Threads may share it; one of them takes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._heard: dict[str, tuple[float, float]] = {}
        """Of each path, when it was heard of first and last."""
        self._closed = False

    def __len__(self) -> int:
        return len(self._heard)

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        return self._closed

    def add(self, paths: Iterable[str]) -> None:
        """Something happened to these paths just now."""
        with self._changed:
            now = self._clock()
            if EVERYTHING not in self._heard:
                for path in paths:
                    first, _ = self._heard.get(path, (now, now))
                    self._heard[path] = (first, now)
            if len(self._heard) > MOST:
                self._heard = {EVERYTHING: (now, now)}
            self._changed.notify_all()

    def add_everything(self) -> None:
        """Anything may have happened: nobody listened for a while, or not all that was heard could be kept."""
        with self._changed:
            first, _ = self._heard.get(EVERYTHING, (self._clock(), 0.0))
            self._heard = {EVERYTHING: (first, self._clock())}
            self._changed.notify_all()

    def put_back(self, due: Due) -> None:
        """What was taken could not be indexed: it is due again at once."""
        with self._changed:
            if due.everything:
                self._heard = {EVERYTHING: (0.0, 0.0)}
            elif EVERYTHING not in self._heard:
                self._heard |= dict.fromkeys(due.paths, (0.0, 0.0))
            self._changed.notify_all()

    def take(self, seconds: float) -> Due | None:
        """What is due, as soon as something is; None where nothing is within so many seconds, or it is closed."""
        end = self._clock() + seconds
        with self._changed:
            while not self._closed:
                now = self._clock()
                if ready := [path for path, times in self._heard.items() if _due_at(*times) <= now]:
                    return self._taken(ready)
                next_one = min((_due_at(*times) for times in self._heard.values()), default=end)
                if now >= end:
                    break
                self._changed.wait(max(0.001, min(next_one, end) - now))
        return None

    def wait_closed(self, seconds: float) -> None:
        """Wait so long, or until it is closed; nothing is taken meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def close(self) -> None:
        """Wake whoever waits; nothing is taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _taken(self, ready: list[str]) -> Due:
        if EVERYTHING in ready:
            self._heard = {}
            return Due(everything=True)
        for path in ready:
            del self._heard[path]
        return Due(frozenset(ready))


def _due_at(first: float, last: float) -> float:
    return min(last + QUIET_SECONDS, first + LONGEST_SECONDS)
