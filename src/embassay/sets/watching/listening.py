"""Threads that hear of changes: by the events of the system, or by looking again and again where there are none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from embassay.errors import UsageError
from embassay.ingest.exclude import Exclusions
from embassay.ingest.flow import find
from embassay.sets.watching.pending import Pending

STEP_MS, GROUP_MS, LOOK_MS = 50, 400, 1000
"""How often events are fetched, how long a burst of them is gathered at most, and how often the watched paths are
looked at, whether they are still the same."""
AGAIN_SECONDS = 1.0
"""Before the system is asked for events again, after it failed to give them."""
SHARE = 0.1
"""Of a core: looking at many files again and again takes no more."""


class Listener(Protocol):
    """Adds to what is pending until it is told to stop."""

    def listen(self, pending: Pending, stop: threading.Event) -> None:
        """Runs in a thread of its own. Raises OSError where the system gives no events."""

    @property
    def ready(self) -> threading.Event:
        """Set once no change can be missed any more."""


class EventListener:
    """Hears of changes below folders, or of those in the folders that hold single files, from the system."""

    def __init__(self, paths: Sequence[Path], *, recursive: bool) -> None:
        self._paths, self._recursive = paths, recursive
        self.ready = threading.Event()

    def listen(self, pending: Pending, stop: threading.Event) -> None:
        """See `Listener`. Where a watched folder goes, or another one takes its place, it begins anew."""
        from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

        while not stop.is_set():
            seen = [_identity(path) for path in self._paths]
            there = [str(path) for path, identity in zip(self._paths, seen, strict=True) if identity]
            try:
                with RustNotify(there, False, False, 0, self._recursive, True) as events:
                    if self.ready.is_set():
                        pending.add_everything()
                    self.ready.set()
                    self._hear(events, pending, stop, seen)
            except FileNotFoundError:  # it went just now
                stop.wait(AGAIN_SECONDS)
            except WatchfilesRustInternalError as error:
                if "limit" in str(error):
                    raise OSError(str(error)) from error
                stop.wait(AGAIN_SECONDS)

    def _hear(self, events: Any, pending: Pending, stop: threading.Event, seen: Sequence[object]) -> None:
        while not stop.is_set() and [_identity(path) for path in self._paths] == seen:
            found = events.watch(GROUP_MS, STEP_MS, LOOK_MS, stop)
            if not isinstance(found, str):
                pending.add(path for _, path in found)


class Poller:
    """Looks at all files again and again: for disks whose changes the system does not tell."""

    def __init__(self, paths: Sequence[Path], seconds: float, exclude: Callable[[], Exclusions]) -> None:
        self._paths, self._seconds, self._exclude = paths, seconds, exclude
        self.ready = threading.Event()

    def listen(self, pending: Pending, stop: threading.Event) -> None:
        """See `Listener`."""
        before = self._look() or {}
        self.ready.set()
        pause = self._seconds
        while not stop.wait(pause):
            began = time.monotonic()
            now = self._look()
            if now is not None:
                pending.add(path.rstrip(os.sep) for path, _ in before.items() ^ now.items())
                before = now
            pause = max(self._seconds, (time.monotonic() - began) / SHARE)

    def _look(self) -> dict[str, tuple[int, int]] | None:
        """Size and time of every file, and which paths there are; None where a path went while it was looked at."""
        there = [path for path in self._paths if path.exists()]
        try:
            found = find(there, exclude=self._exclude())
            files = {os.path.abspath(one.file): (one.size, one.mtime_ns) for one in found if not one.unreadable}
        except UsageError:
            return None
        return files | {f"{path}{os.sep}": (0, 0) for path in there}


@contextmanager
def listening(
    listeners: Iterable[Listener], pending: Pending, instead: Callable[[OSError], Listener]
) -> Iterator[None]:
    """Each of `listeners` in a thread, all of them ready, for the time of the block.

    `instead` gives another one where the system gives one no events, and hears why, in the thread of that one.
    """
    stop = threading.Event()
    threads = [_Thread(one, pending, stop, instead) for one in listeners]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while not thread.listener.ready.wait(STEP_MS / 1000):  # another one may have taken its place
                pass
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class _Thread(threading.Thread):
    def __init__(
        self, listener: Listener, pending: Pending, stop: threading.Event, instead: Callable[[OSError], Listener]
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self.listener, self._pending, self._told_to_stop, self._instead = listener, pending, stop, instead

    def run(self) -> None:
        try:
            self.listener.listen(self._pending, self._told_to_stop)
        except OSError as error:
            self.listener = self._instead(error)
            self._pending.add_everything()
            self.listener.listen(self._pending, self._told_to_stop)
        finally:
            self.listener.ready.set()


def _identity(path: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None
