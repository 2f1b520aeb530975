"""Files as a source of an index run: what changed since the last run is read and cut, the rest is left alone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import FileEnd, ReadStep, Unreadable, chunked, read_file
from embassay.ingest.isolation import Isolation
from embassay.ingest.limits import DEFAULT_LIMITS, ReadLimits
from embassay.ingest.read import reader_name
from embassay.sets.build.origin import Change, Ended, Origin, changes, recall
from embassay.sets.build.plan import DueFile, IndexPlan
from embassay.sets.build.source import SourceOutcome
from embassay.sets.state import UNSETTLED, SourceRow
from embassay.stores.base import Store

GROUP_FILES = 128
GROUP_GONE = 1024
"""Files whose stored chunks are looked up at once."""
RACY_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again before its clock ticks."""

Member = TypeVar("Member")


class Files:
    """The files of a plan. Each is an origin, and those that are gone come first."""

    def __init__(
        self, plan: IndexPlan, store: Store, chunker: Callable[[], Chunker], limits: ReadLimits = DEFAULT_LIMITS
    ) -> None:
        """`chunker` is called only if there are files to read: it may load a model's tokenizer."""
        self._plan, self._store, self._chunker = plan, store, chunker
        self._isolation = Isolation(limits)
        self._without_text: list[tuple[str, str]] = []
        count = len(plan.due)
        self.what = f"{count:,} file{'' if count == 1 else 's'}" if count else ""
        self.total: int | None = plan.bytes

    def __iter__(self) -> Iterator[Change]:
        yield from self._unread(self._plan.gone, _gone)
        yield from self._unread(self._plan.newly_skipped, _skipped)
        if not self._plan.due:
            return
        with self._isolation:
            for change in changes(chunked(self._read(), self._chunker())):
                if isinstance(change, Ended) and change.origin.skipped:
                    self._without_text.append((change.origin.name, change.origin.skipped))
                yield change

    def outcome(self) -> SourceOutcome:
        """Counts of the plan, and files that turned out to hold no text among those that were skipped."""
        plan = self._plan
        skipped = tuple(sorted((*plan.skipped, *self._without_text)))
        removed = sum(row.state != "skipped" for row in plan.gone)  # what was left out was never there
        return SourceOutcome(len(plan.due), plan.unchanged, removed, skipped)

    def stop(self) -> None:
        """End the process that reads, so that nothing waits for a file that takes long."""
        self._isolation.stop()

    def _unread(self, members: Sequence[Member], origin_of: Callable[[Member], Origin]) -> Iterator[Change]:
        """The end of files that are not opened, of which no chunk stays."""
        for group in _groups(members, GROUP_GONE):
            origins = [origin_of(member) for member in group]
            recall(self._store, origins)
            for origin in origins:
                yield origin.end()

    def _read(self) -> Iterator[ReadStep[Origin]]:
        for due in _groups(self._plan.due, GROUP_FILES):
            origins = [_origin(file) for file in due]
            recall(self._store, origins)
            for file, origin in zip(due, origins, strict=True):
                yield from _read(file, origin, self._isolation)


def _origin(file: DueFile) -> Origin:
    return Origin(file.name, file.row, file.found.size, reader=reader_name(file.found.file.suffix))


def _skipped(file: DueFile) -> Origin:
    return Origin(file.name, file.row, skipped=file.found.skip)


def _gone(row: SourceRow) -> Origin:
    return Origin(row.path, row, mtime_ns=row.mtime_ns, digest=row.digest, gone=True)


def _read(file: DueFile, origin: Origin, isolation: Isolation) -> Iterator[ReadStep[Origin]]:
    """What reading the file brings; nothing but its end if its content is what was indexed before."""
    racy = time.time_ns() - file.found.mtime_ns < RACY_NS
    origin.mtime_ns = UNSETTLED if racy else file.found.mtime_ns
    try:
        origin.digest = _digest(file.found.file)
    except OSError as error:
        yield Unreadable(origin, ReadError(error.strerror or str(error)))
        yield FileEnd(origin)
        return
    origin.untouched = file.row is not None and _holds(file.row, origin, again=file.again)
    if origin.untouched:
        yield FileEnd(origin)
    else:
        yield from read_file(origin, SourceFile(file.found.file, file.name), isolation)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _holds(row: SourceRow, origin: Origin, *, again: bool) -> bool:
    """Whether all of the file's present content was indexed that could be, and is still there, if without vectors.

    What failed of that content would fail again, and a text that a service refused would be paid for again: it is
    tried only where that was asked for.
    """
    stored = (row.state == "ok" or (row.waits and row.is_settled)) and (row.digest, row.chunks) == (
        origin.digest,
        len(origin.existing),
    )
    return stored and row.is_of(origin.reader) and not (again and row.quarantined)


def _groups(items: Sequence[Member], size: int) -> Iterator[Sequence[Member]]:
    return (items[at : at + size] for at in range(0, len(items), size))
