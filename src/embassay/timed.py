"""What a model makes of texts within a time, in a thread of its own: a search waits so long and no longer.

Items are texts, or texts with whatever else the model has to know of them.
"""

from __future__ import annotations

import atexit
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
AT_ONCE = 16
"""Texts that a model of this process is given at once."""
REMOTE_AT_ONCE = 4096
"""Texts that a request may have: each costs a round trip, whatever it holds."""
LAST_WAIT = 1.0
"""Seconds that what is under way may take at the end: a reply that is on its way was paid for."""
LAST_BATCH = 10.0
"""Seconds that a program which ends waits for a model that computes in it."""


class Timed(ABC, Generic[Item, Made]):
    """Makes something of each item within a time. Threads may share it.

    What comes too late is remembered for whoever asks next, and so is what came in time.
    """

    def __init__(self, room: int) -> None:
        """`room`: how much is remembered, in the measure of `size`; the oldest is forgotten first."""
        self._room, self._taken = room, 0
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._seconds_a_text = 0.0
        self._under_way: threading.Thread | None = None

    @property
    @abstractmethod
    def remote(self) -> bool:
        """Whether texts leave this process."""

    @abstractmethod
    def make(self, items: Sequence[Item]) -> Iterator[Made | None]:
        """Something for each of `items`, in their order, as it is there; None for one that was refused."""

    @abstractmethod
    def size(self, made: Made) -> int:
        """How much of the room `made` takes where it is remembered."""

    def within(self, items: Mapping[str, Item], budget_ms: float) -> tuple[dict[str, Made], Exception | None]:
        """What was made of as many of `items`, by their keys, as can be had within `budget_ms`, the first ones first;
        and why there is no more, where something was raised.
        """
        deadline = time.monotonic() + budget_ms / 1000
        with self._lock:
            found = {key: self._made[key] for key in items if key in self._made}
            for key in found:
                self._made.move_to_end(key)
        missing = {key: item for key, item in items.items() if key not in found}
        if (
            not missing
            or budget_ms <= 0
            or not self._turn.acquire(timeout=min(budget_ms / 1000, threading.TIMEOUT_MAX))
        ):
            return found, None
        work = _Work[Item, Made](missing, deadline)
        self._under_way = threading.Thread(target=self._work, args=(work,), name="timed", daemon=True)
        _AT_WORK[self._under_way] = work
        self._under_way.start()
        try:
            work.over.wait(max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX)))
        except BaseException:  # a Ctrl-C: nobody waits for what has not begun
            work.deadline = 0.0
            raise
        with self._lock:
            there = found | work.made
        return {key: there[key] for key in items if key in there}, work.failure

    def close(self) -> None:
        """Give what is under way a moment to arrive."""
        if self._under_way is not None:
            self._under_way.join(LAST_WAIT)

    def _work(self, work: _Work[Item, Made]) -> None:
        try:
            work.elsewhere = self.remote
            left = [*work.items.items()]
            while left and (count := self._fitting(work.deadline)):
                batch, left = left[:count], left[count:]
                self._make(batch, work)
        except Exception as error:  # whoever waits is told, whatever it is
            work.failure = error
        finally:
            self._turn.release()
            work.over.set()
            _AT_WORK.pop(threading.current_thread(), None)

    def _fitting(self, deadline: float) -> int:
        """How many texts are begun together, so that what comes of them comes in time; one where nobody knows yet."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return 0
        if self.remote:
            return REMOTE_AT_ONCE
        if not self._seconds_a_text:
            return 1
        return min(AT_ONCE, int(seconds / self._seconds_a_text))

    def _make(self, batch: Sequence[tuple[str, Item]], work: _Work[Item, Made]) -> None:
        started = time.monotonic()
        for (key, _), made in zip(batch, self.make([item for _, item in batch]), strict=True):
            if made is not None:
                with self._lock:
                    work.made[key] = self._made[key] = made
                    self._taken += self.size(made)
                    while self._taken > self._room:
                        self._taken -= self.size(self._made.popitem(last=False)[1])
        took = (time.monotonic() - started) / len(batch)
        self._seconds_a_text = (self._seconds_a_text + took) / 2 if self._seconds_a_text else took


class _Work(Generic[Item, Made]):
    """What one search asks for."""

    def __init__(self, items: Mapping[str, Item], deadline: float) -> None:
        self.items, self.deadline = items, deadline
        self.elsewhere = False
        """Whether another process computes, and the thread only waits for its reply."""
        self.made: dict[str, Made] = {}
        self.over = threading.Event()
        self.failure: Exception | None = None


_AT_WORK: dict[threading.Thread, _Work[Any, Any]] = {}


def _end() -> None:
    """Let what computes in this process come to its end before the interpreter does.

    Native code that is at work while the program's libraries are taken down ends the process by a signal. A reply of
    another process is not waited for: whoever waits for it runs no native code but the system's.
    """
    at_work = [*_AT_WORK.items()]
    for _, work in at_work:
        work.deadline = 0.0
    until = time.monotonic() + LAST_BATCH
    for thread, work in at_work:
        if not work.elsewhere:
            thread.join(max(0.0, until - time.monotonic()))


atexit.register(_end)
