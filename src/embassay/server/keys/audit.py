"""The audit log: who did what and when, of every request that changes something, is for administrators, or was refused.

One line of JSON for each, appended to a private file of the home; never a text, a vector or a key. A line is written
by one call of the system, so that a process which is killed leaves whole lines. Files of a certain size are put aside,
and the oldest is removed. One client that is refused again and again is told once in ten seconds, with a count: it
cannot push what others did out of the log.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from embassay import jsontext
from embassay.files import PRIVATE_FILE

AUDIT_FILE = "audit.jsonl"
LARGEST, KEPT = 10_000_000, 5
"""Bytes of a file after which a new one is begun, and how many are kept beside it."""
QUIET_SECONDS, MOST_QUIET = 10.0, 1000
"""For how long one client's refusals are counted only, and of how many clients at once."""
LOCK_SECONDS, LOCK_TRIES = 0.001, 200
"""How long another process that writes is waited for, and how often."""
LONGEST = 200
"""Characters of one field: names come from requests."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is told of a request."""

    method: str
    route: str
    """The pattern, such as ``/api/v1/embedding-sets/{name}``, not the path."""
    status: int
    key: str = ""
    """The id of the key; empty without one."""
    name: str = ""
    """What the key is called."""
    client: str = ""
    """The address."""
    set: str = ""
    model: str = ""
    code: str = ""
    """Of the error, where it was refused or failed."""
    request: str = ""
    """The id of the request."""


@dataclass(slots=True)
class _Refusals:
    """What was refused since a line was written of it."""

    since: float
    last: AuditEntry
    count: int = 0


class AuditLog:
    """The log of one home. Threads and processes may share it."""

    def __init__(
        self,
        file: Path | None,
        warn: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        largest: int = LARGEST,
    ) -> None:
        """`file` None: nothing is written. `warn` is told once where it cannot be; requests are answered still."""
        self.file, self._warn, self._clock, self._largest = file, warn, clock, largest
        self._lock = threading.Lock()
        self._fails = False
        self.quiet: OrderedDict[tuple[str, str, str], _Refusals] = OrderedDict()
        """By client, key and code: since when they are counted only, and how many there were."""

    def note(self, entry: AuditEntry) -> None:
        """Write a line, unless the same was refused to the same client a moment ago: then it is counted."""
        if self.file is None:
            return
        with self._lock:
            if entry.status < 400:
                self._write(entry, 1)
            else:
                self._refused(entry)

    def close(self) -> None:
        """Write down what was only counted."""
        with self._lock:
            while self.quiet:
                self._settle(self.quiet.popitem(last=False)[1])

    def _refused(self, entry: AuditEntry) -> None:
        kind, now = (entry.client, entry.key, entry.code), time.monotonic()
        known = self.quiet.get(kind)
        if known is not None and now - known.since < QUIET_SECONDS:
            known.count += 1
            known.last = entry
            return
        self._write(entry, 1 + (known.count if known else 0))
        self.quiet[kind] = _Refusals(now, entry)
        self.quiet.move_to_end(kind)
        if len(self.quiet) > MOST_QUIET:
            self._settle(self.quiet.popitem(last=False)[1])

    def _settle(self, known: _Refusals) -> None:
        if known.count:
            self._write(known.last, known.count)

    def _write(self, entry: AuditEntry, times: int) -> None:
        try:
            self._append(_line(entry, self._clock(), times))
            self._fails = False
        except OSError as error:
            if not self._fails:
                self._fails = True
                self._warn(f"{self.file} cannot be written ({error.strerror}): requests are not audited.")

    def _append(self, line: bytes) -> None:
        assert self.file is not None
        with _locked(self.file) as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # the power failed in the middle of a line
                line = b"\n" + line
            if os.write(descriptor, line) < len(line):  # the disk is full: no half line stays
                os.ftruncate(descriptor, size)
                raise OSError(28, "the disk is full")
            if size + len(line) > self._largest:
                self._put_aside()

    def _put_aside(self) -> None:
        assert self.file is not None
        for number in range(KEPT - 1, 0, -1):
            with suppress(FileNotFoundError):
                self.file.with_name(f"{self.file.name}.{number}").replace(
                    self.file.with_name(f"{self.file.name}.{number + 1}")
                )
        self.file.replace(self.file.with_name(f"{self.file.name}.1"))


def _line(entry: AuditEntry, at: float, times: int) -> bytes:
    said = {
        name: value[:LONGEST] if isinstance(value, str) else value for name, value in asdict(entry).items() if value
    }
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    more = {"times": times} if times > 1 else {}
    return jsontext.dumps({"at": when, **said, **more}, ascii_only=True).encode("ascii") + b"\n"


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    """The file, open to be appended to, while no other process does; it is one that nobody has put aside meanwhile."""
    while True:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(file, flags, PRIVATE_FILE)
        try:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode):
                raise OSError(0, "it is no file")
            _lock(descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(file.lstat(), seen):
                    yield descriptor
                    return
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Raises OSError where another process has it for long: one that was stopped in the middle holds nobody up."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOCK_SECONDS)
    raise OSError(11, "another process holds it")
