"""Writes searches into the query log, in a thread of its own, so that no search waits for the disk.

A search only leaves its event in a row. The thread gathers what comes within a quarter of a second and writes it in one
transaction, over a connection of its own that waits for other processes for half a second and no longer. Whatever goes
wrong there is told once, and no search fails or is slowed by it: an entry that cannot be written is lost.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.config.values import QueryLogConfig
from embassay.errors import ConfigNotAgreed, HomeCorrupt, HomeError, HomeNotWritable, HomeTooNew
from embassay.events import Events, Searched, Warned
from embassay.sets.log.new import new_search
from embassay.sets.log.table import LogTable

if TYPE_CHECKING:
    from embassay.config.values import Config
    from embassay.sets.database import Database

GATHER_SECONDS = 0.25
"""How long the thread waits for more searches before it writes."""
BUSY_SECONDS = 0.5
"""How long it waits for another process that is writing."""
CLOSE_SECONDS = 1.0
"""How long closing may take at most while another process is writing."""
MOST_WAITING = 1_000
"""Searches that wait to be written; the oldest are lost where more come."""


class QueryRecorder:
    """Listens to `Searched`. Threads may share it; `close` it, so that the last searches are written."""

    def __init__(self, file: Path, config: QueryLogConfig, warn: Callable[[str], None]) -> None:
        """`file` is the home's `state.db`; `warn` is told, once, why searches are not logged."""
        self._file, self._config, self._warn = file, config, warn
        self._waiting: deque[tuple[float, Searched]] = deque(maxlen=MOST_WAITING)
        self._come, self._closing = threading.Event(), threading.Event()
        self._starting, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._database: Database | None = None
        self._table: LogTable | None = None
        self._warned = self._hopeless = False

    def __call__(self, event: Searched) -> None:
        """Have a search logged, unless a measurement asked. Takes microseconds."""
        if event.measured or self._hopeless or self._closing.is_set():
            return
        self._waiting.append((time.time(), event))
        if not self._come.is_set():
            self._come.set()
        if self._thread is None:
            self._start()

    def flush(self) -> None:
        """Write what waits now, so that it can be read. What cannot be written goes on waiting."""
        self._write()

    def close(self) -> None:
        """Write what waits, for at most `CLOSE_SECONDS`, and give the file back. Closing twice does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._come.set()
        atexit.unregister(self.close)
        if self._thread:
            self._thread.join()
        until = time.monotonic() + CLOSE_SECONDS
        while self._waiting and not self._hopeless and time.monotonic() < until:
            self._write()
        if self._waiting:
            self._tell("another process is writing to the home")
        with self._writing:
            if self._database:
                self._database.close()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                atexit.register(self.close)  # a home that is not closed keeps its last searches too
                self._thread = threading.Thread(target=self._work, name="query-log", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._come.wait()
            if self._closing.wait(GATHER_SECONDS):
                return
            self._come.clear()
            self._write()
            if self._waiting:  # another process is writing
                self._come.set()

    def _write(self) -> None:
        """Write what waits. It goes on waiting where another process is writing, and is lost on other errors."""
        with self._writing:
            batch: list[tuple[float, Searched]] = []
            while self._waiting and len(batch) < MOST_WAITING:
                batch.append(self._waiting.popleft())
            if not batch:
                return
            try:
                hashed = self._config.queries == "hashed"
                self._opened().add([new_search(asked, event, hashed=hashed) for asked, event in batch], self._config)
            except (HomeNotWritable, HomeCorrupt, HomeTooNew) as error:
                self._hopeless = not isinstance(error, HomeNotWritable)  # a disk may have room again
                self._tell(error.message.rstrip("."))
            except HomeError:
                self._waiting.extendleft(reversed(batch[-(MOST_WAITING - len(self._waiting)) :]))
            except Exception as error:  # a defect of ours must not be heard in a search
                self._hopeless = True
                self._tell(f"{type(error).__name__}: {error}")

    def _opened(self) -> LogTable:
        from embassay.sets.database import Database

        if self._table is None:
            self._database = Database(self._file, busy_seconds=BUSY_SECONDS)
            self._table = LogTable(self._database)
        return self._table

    def _tell(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(f"Searches are not logged: {why}.")


def recorder_for(file: Path, config: Callable[[], Config], events: Events) -> QueryRecorder | None:
    """What logs the searches that `events` tell of, where the configuration wants that; None where it does not.

    A configuration that was found, and to which nobody has agreed, cannot turn the log on: a warning says so. Raises
    ConfigError.
    """
    try:
        wanted = config().logged()
    except ConfigNotAgreed as error:
        events.tell(Warned(f"Searches are not logged: {error}"))
        return None
    if wanted.queries == "off":
        return None
    recorder = QueryRecorder(file, wanted, lambda text: events.tell(Warned(text)))
    events.subscribe(Searched, recorder)
    return recorder


def in_effect(config: Callable[[], Config] | None) -> QueryLogConfig:
    """What is kept: nothing where a configuration to which nobody has agreed wants it. Raises ConfigError."""
    if config is None:
        return QueryLogConfig()
    found = config()
    try:
        return found.logged()
    except ConfigNotAgreed:
        return QueryLogConfig(max_entries=found.query_log.max_entries, max_days=found.query_log.max_days)
