"""A watcher at work in a thread, and what it tells."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embassay.sets.watching.reports import Updated, WatchReport
from embassay.sets.watching.watcher import Watcher

PATIENCE = 60.0
"""Seconds that a test waits for what has to come; how long it takes says how busy a machine is."""


class Told:
    """The reports of a watcher, as they come."""

    def __init__(self) -> None:
        self.all: list[WatchReport] = []
        self.error: BaseException | None = None
        self._new: queue.Queue[WatchReport | None] = queue.Queue()

    def follow(self, watcher: Watcher) -> None:
        try:
            for report in watcher:
                self.all.append(report)
                self._new.put(report)
        except BaseException as error:
            self.error = error
        finally:
            self._new.put(None)

    def next(self, kind: type[WatchReport]) -> WatchReport:
        """The next report of a kind; others are passed over."""
        while (report := self._new.get(timeout=PATIENCE)) is not None:
            if isinstance(report, kind):
                return report
        raise AssertionError(f"it ended: {self.error!r}")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for updates until something holds."""
        while not holds():
            self.next(Updated)


@contextmanager
def watched(watcher: Watcher) -> Iterator[Told]:
    """What `watcher` tells, from the end of its first update on."""
    told = Told()
    thread = threading.Thread(target=told.follow, args=(watcher,), daemon=True)
    thread.start()
    try:
        told.next(Updated)
        yield told
    finally:
        watcher.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
