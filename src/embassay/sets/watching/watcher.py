"""Watches the files of a set and keeps it up to date: what changes is collected in threads, and indexed in the one that
asks for reports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from embassay.errors import (
    BillingMismatch,
    CacheError,
    DownloadFailed,
    EmbassayError,
    HomeNotWritable,
    Interrupted,
    KeyMissing,
    KeyRejected,
    LedgerError,
    ProviderError,
    RequestRefused,
    StoreError,
)
from embassay.events import WorkStoppable
from embassay.ingest.scope import Scope
from embassay.sets.build.report import IndexReport
from embassay.sets.indexing import Reading, index_files, update_files
from embassay.sets.leaving import leaving
from embassay.sets.opened import OpenSets
from embassay.sets.paths import on_disk
from embassay.sets.spec import Wishes
from embassay.sets.watching.disks import remote
from embassay.sets.watching.listening import EventListener, Listener, Poller, listening
from embassay.sets.watching.pending import Due, Pending
from embassay.sets.watching.reports import Delayed, Lost, Updated, Watching, WatchReport
from embassay.sets.watching.sieve import sifted

PASSING = (ProviderError, StoreError, HomeNotWritable, DownloadFailed, CacheError, LedgerError)
"""What may be over after a while, such as an outage, a spent budget, or a full disk."""
LASTING = (KeyMissing, KeyRejected, RequestRefused, BillingMismatch)
"""Of these, what somebody has to mend."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds after a failure until it is tried again: twice as many after each, up to the longest."""
POLL_SECONDS = 2.0
"""Between two looks at all files, where the system gives no events."""
CHECK_SECONDS = 5.0
"""After changes, once all has been quiet for so long, everything is looked at: events get lost under a heavy load, and
whoever hands them on may not say so."""
CHECK_AT_LAST = 60.0
"""The same where it is never quiet."""
CHECK_SHARE = 0.02
"""Of the time: looking at everything takes no more."""
FOREVER = 3600.0


class Watcher:
    """Iterate over it for reports: `Watching`, then an `Updated` for what had changed before, then one for each update,
    `Delayed` where one failed and is tried again, `Lost` where a watched path goes or comes back.

    All is indexed in the thread that iterates; changes are collected meanwhile, whatever that takes. The iteration
    blocks until there is something to tell, and ends after `stop`. One watcher is iterated over once.

    >>> with embassay.open() as home, home.watch(["docs"]) as watcher:       # doctest: +SKIP
    ...     for report in watcher:
    ...         print(report)
    """

    def __init__(
        self,
        sets: OpenSets,
        name: str,
        names: Sequence[str],
        wishes: Wishes,
        reading: Reading,
        *,
        named: bool,
        poll: float | None = None,
    ) -> None:
        """`names`: what is watched, as the set names it; `named` if somebody gave those paths, and they are not the
        remembered ones. `poll`: seconds between two looks at all files, instead of events.
        """
        self._sets, self._set, self._names = sets, name, tuple(names)
        self._wishes, self._reading, self._named, self._poll = wishes, reading, named, poll
        self.pending = Pending()
        self._paths = tuple(sets.folder.file_on_disk(one) for one in self._names)
        self._news: list[WatchReport] = []
        """Told by threads: comes with the next report."""
        self._stop_run: Callable[[], bool] | None = None
        self._over = False
        self._failures = 0
        self._lost: tuple[Path, ...] = ()
        self._quarantined: frozenset[tuple[str, str]] = frozenset()
        self._check = _Check()

    def stop(self) -> bool:
        """End the iteration soon, from any thread or signal handler: a run that is under way keeps what it has
        embedded. Whether it was still at work."""
        if self._over:
            return False
        self.pending.close()
        if self._stop_run:
            self._stop_run()
        return True

    def __iter__(self) -> Iterator[WatchReport]:
        try:
            with listening(self._listeners(), self.pending, self._poller_instead), self._stoppable():
                yield from self._told()
                yield from self._indexed(Due(everything=True), first=True)
                while not self.pending.closed:
                    due = self.pending.take(self._check.due_in()) or self._check.taken()
                    if due:
                        yield from self._update(due)
                    yield from self._told()
        finally:
            self._over = True

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listeners(self) -> list[Listener]:
        kinds = {kind for path in self._paths if (kind := remote(path))}
        if self._poll is not None or kinds:
            why = "" if self._poll is not None else f"the system tells of no changes on {', '.join(sorted(kinds))}"
            return [self._poller(why)]
        self._news.append(self._watching("events"))
        folders = [path for path in self._paths if path.is_dir() or not path.parent.is_dir()]
        around = {path.parent: None for path in self._paths if path not in folders}
        listeners: list[Listener] = [EventListener(folders, recursive=True)] if folders else []
        return [*listeners, EventListener([*around], recursive=False)] if around else listeners

    def _poller(self, why: str) -> Poller:
        self._news.append(self._watching("polling", why))
        exclude = lambda: leaving(self._sets, self._set, self._reading.exclude, ()).foreseen()  # noqa: E731
        return Poller(self._paths, self._poll or POLL_SECONDS, exclude)

    def _poller_instead(self, error: OSError) -> Poller:
        return self._poller(f"the system gives no events: {error}")

    def _watching(self, by: str, why: str = "") -> Watching:
        return Watching(self._set, tuple(map(str, self._paths)), by, why)

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Note what stops a run that is under way in this thread, and be what is stopped between runs."""
        thread = threading.get_ident()

        def note(event: WorkStoppable) -> None:
            if threading.get_ident() == thread and event.stop != self.stop:
                self._stop_run = event.stop
                if self.pending.closed:
                    event.stop()

        unsubscribe = self._sets.events.subscribe(WorkStoppable, note)
        self._sets.events.tell(WorkStoppable(self.stop))
        try:
            yield
        finally:
            unsubscribe()

    def _update(self, due: Due) -> Iterator[WatchReport]:
        """What indexing `due` brings; nothing where no walk would come to it."""
        due = sifted(self._sets.folder, self._paths, due)
        if due.paths or due.everything:
            yield from self._indexed(due)

    def _indexed(self, due: Due, *, first: bool = False) -> Iterator[WatchReport]:
        """Index `due`; where that fails, wait, and index it with what was collected meanwhile."""
        while not self.pending.closed:
            began = time.monotonic()
            try:
                report = self._run(due, first=first)
            except Interrupted:
                self.pending.close()
                return
            except PASSING as error:
                if isinstance(error, LASTING):
                    raise
                yield self._delayed(error, due)
                self._pause()
                due = self._with_what_came(due)
                continue
            self._failures = 0
            looked = 0.0 if report.files else time.monotonic() - began  # reading files is no part of looking at them
            self._check.note(due, looked)
            yield from self._told()
            yield from self._updated(report, due, first=first)
            return

    def _run(self, due: Due, *, first: bool) -> IndexReport:
        reading = replace(self._reading, only=None if due.everything else Scope(map(Path, due.paths)))
        try:
            if first and self._named:
                return index_files(self._sets, self._set, self._paths, self._wishes, reading)
            self._sets.live(self._set)  # one that was deleted meanwhile is not made anew
            paths = on_disk(self._sets, self._set, self._names)
            if paths.lost != self._lost:
                self._lost = paths.lost
                self._news.append(Lost(self._set, tuple(map(str, paths.lost))))
            return update_files(self._sets, self._set, paths, self._wishes, reading)
        finally:
            self._stop_run = None
            self._sets.events.tell(WorkStoppable(self.stop))

    def _delayed(self, error: EmbassayError, due: Due) -> Delayed:
        seconds = min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
        self._failures += 1
        changes = 0 if due.everything else len(due.paths) + len(self.pending)
        return Delayed(self._set, error, seconds, changes)

    def _pause(self) -> None:
        self.pending.wait_closed(min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE))

    def _with_what_came(self, due: Due) -> Due:
        self.pending.put_back(due)
        return self.pending.take(0) or due

    def _updated(self, report: IndexReport, due: Due, *, first: bool) -> Iterator[Updated]:
        new = tuple(one for one in report.quarantined if one not in self._quarantined)
        self._quarantined = frozenset(report.quarantined)
        if first or new or report.files or report.removed or report.embedded:
            yield Updated(report, len(due.paths), new)

    def _told(self) -> Iterator[WatchReport]:
        while self._news:
            yield self._news.pop(0)


class _Check:
    """When everything is looked at, to be sure that nothing was missed."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._earliest = self._since = 0.0

    def note(self, due: Due, seconds: float) -> None:
        """An update is done, and took so long to look at what was due."""
        now = time.monotonic()
        if due.everything:
            self._at, self._earliest = None, now + seconds / CHECK_SHARE
            return
        self._since = now if self._at is None else self._since
        self._at = max(min(now + CHECK_SECONDS, self._since + CHECK_AT_LAST), self._earliest)

    def due_in(self) -> float:
        """Seconds until it is time."""
        return FOREVER if self._at is None else max(0.0, self._at - time.monotonic())

    def taken(self) -> Due | None:
        """Everything, if it is time."""
        return Due(everything=True) if self._at is not None and time.monotonic() >= self._at else None
