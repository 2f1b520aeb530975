"""A home that is watched: who does it, and which sets are due.

One process of all that serve a home watches it: the one that holds a lock of the operating system, so that a killed one
gives it back. What is due is told by a clock that nobody sets.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, HomeNotFound, SetNotFound
from embassay.monitor.monitor import Monitor
from embassay.monitor.webhook import Deliverer, checked_webhook

if TYPE_CHECKING:
    from embassay.home import Home
    from embassay.monitor.alerts import CheckedSet
    from embassay.monitor.base import When

LOCK = "monitor.lock"
TURN_SECONDS = 5.0
"""How often one that does not watch asks whether it is its turn."""
_log = logging.getLogger("embassay.monitor")


class HomeWatch:
    """The sets of one home, checked as `monitor` of the configuration says. It belongs to one thread."""

    def __init__(
        self, home: Home, *, clock: Callable[[], float] = time.monotonic, goes_on: Callable[[], bool] = lambda: True
    ) -> None:
        """`goes_on`: asked between two sets whether to go on."""
        self._home, self._clock, self._goes_on = home, clock, goes_on
        self._config = home.session.config.monitor
        self._lock: Turn | None = None
        self._seen: dict[str, object] = {}
        """How each set stood when it was checked last."""
        self._daily: dict[str, float] = {}
        """When its model was asked last."""
        self._told: set[str] = set()

    @property
    def is_ours(self) -> bool:
        """Whether this process watches the home."""
        return self._lock is not None

    def look(self) -> list[CheckedSet]:
        """Check what is due: sets that were searched since, and all once a day. Never raises for what a set or a home
        does; it is told in the log, once. Empty where another process watches the home."""
        try:
            if self._lock is None:
                self._lock = taken_turn(self._home)
            if self._lock is None:
                return []
            names = self._home.sets()
        except HomeNotFound:
            return []  # nothing was indexed yet
        except EmbassayError as error:
            self._tell("", error)
            return []
        for gone in [*self._seen.keys() - names]:
            del self._seen[gone]
        self._daily = {name: at for name, at in self._daily.items() if name in names}
        return [found for name in names if self._goes_on() and (found := self._check(name)) is not None]

    def close(self) -> None:
        """Let another process watch."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _check(self, name: str) -> CheckedSet | None:
        try:
            monitor, now = Monitor(self._home, name), self._clock()
            space = monitor.space.digest
            stands = (space, *self._home.monitoring.standing(name, space))
            every = self._config.canaries_every
            is_daily = bool(every) and now - self._daily.get(name, float("-inf")) >= every
            if stands == self._seen.get(name) and not is_daily:
                return None
            when: tuple[When, ...] = ("often", "daily") if is_daily else ("often",)
            if is_daily:
                self._daily[name] = now
            self._seen[name] = stands
            found = monitor.check(when)
        except SetNotFound:  # deleted or renamed meanwhile
            return None
        except EmbassayError as error:
            self._tell(name, error)
            return None
        if found.unkept:
            self._once(f"set {name!r} is checked, and nothing of it is kept: {found.unkept}")
        return found

    def _tell(self, name: str, error: EmbassayError) -> None:
        self._once(f"set {name!r} could not be checked: {error.message}" if name else f"nothing is watched: {error}")

    def _once(self, said: str) -> None:
        if said not in self._told:
            if len(self._told) > 100:
                self._told.clear()
            self._told.add(said)
            _log.warning("%s", said)


class Turn:
    """The right to watch a home."""

    def __init__(self, release: Callable[[], None] = lambda: None) -> None:
        self._release = release

    def release(self) -> None:
        """Give it back."""
        with suppress(OSError):
            self._release()


def taken_turn(home: Home) -> Turn | None:
    """The right to watch a home; None while another process has it.

    Where no lock can be had, because the home cannot be written, whoever asks has it: alerts are not kept there. Raises
    HomeNotFound where nothing was indexed yet.
    """
    from filelock import FileLock, Timeout

    place = home.folder / "locks"
    if not place.is_dir():
        home.sets()  # raises where there is no home
        return Turn()
    lock = FileLock(place / LOCK, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except OSError:
        return Turn()
    return Turn(lock.release)


class WatchThread:
    """Watches the home of a server in a thread of its own, and has alerts delivered in another one.

    It begins a little after the server, whose first requests need the machine. Whatever it waits for, it keeps the
    process from ending for a moment at most.
    """

    def __init__(self, home: Home) -> None:
        """Raises ConfigNotAgreed, ConfigError for a webhook that cannot be used."""
        config = home.session.config
        self._every = float(config.monitor.every)
        self._ended = threading.Event()
        self._watch = HomeWatch(home, goes_on=lambda: not self._ended.is_set())
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        address = checked_webhook(config) if self._every else ""
        self._deliverer = Deliverer(lambda: home.monitoring, address) if address else None

    def start(self) -> None:
        """Begin, unless the configuration says that nothing is watched."""
        if self._every:
            self._thread.start()
            if self._deliverer is not None:
                self._deliverer.start()

    def close(self, seconds: float = 2.0) -> None:
        """End: what is under way has so many seconds to notice."""
        self._ended.set()
        if self._deliverer is not None:
            self._deliverer.close()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = self._every
        try:
            while not self._ended.wait(pause):
                found = self._look()
                pause = self._every if self._watch.is_ours else min(TURN_SECONDS, self._every)
                if self._deliverer is not None and any(one.changes for one in found):
                    self._deliverer.wake()
        finally:
            self._watch.close()

    def _look(self) -> list[CheckedSet]:
        try:
            return self._watch.look()
        except Exception:  # a defect, which must not end the watch
            if not self._ended.is_set():  # while a server ends, what is being read is closed
                _log.exception("the sets could not be checked")
            return []
