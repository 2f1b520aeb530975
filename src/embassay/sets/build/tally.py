"""What an index run keeps of its sources while it works on them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from embassay.sets.build.plan import Task
from embassay.sets.state import UNSETTLED, SourceRow
from embassay.text import encodable
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors

REASONS = 3
"""Of one file that are kept; a count stands for the rest."""
RACY_NS = 2_000_000_000
"""A file changed less than this before it was read may change again within the clock's grain."""


@dataclass(slots=True)
class Tally:
    """One source while it is being worked on."""

    task: Task
    digest: str = ""
    documents: int = 0
    chunks: int = 0
    truncated: int = 0
    reasons: list[str] = field(default_factory=list)
    """The first few of what could not be read."""
    refused: int = 0
    readable: bool = False
    """At least one document of it could be read."""
    read_at: int = field(default_factory=time.time_ns)
    skipped: str = ""
    """Why it is no document at all."""
    untouched: bool = False
    """The content is what it was: only size and time are new."""
    existing: dict[str, Chunk] = field(default_factory=dict)
    """Rows from earlier runs, by key; what remains in the end is stale."""

    seen: int = 0
    """Bytes of it that progress has counted."""

    def refuse(self, reason: str) -> None:
        self.refused += 1
        if len(self.reasons) < REASONS:
            self.reasons.append(encodable(reason))

    def advance(self, chunk: Chunk | None) -> int:
        """Bytes to count for `chunk`, or for the end of the source: in all its size, however it is cut."""
        left = self.task.found.size - self.seen
        step = left if chunk is None else min(left, len(chunk.indexed))
        self.seen += step
        return step

    @property
    def failed(self) -> bool:
        """Nothing of it could be read: what was indexed of it before stays."""
        return bool(self.reasons) and not self.readable

    def row(self, state: str) -> SourceRow:
        found, old = self.task.found, self.task.row
        racy = self.read_at - found.mtime_ns < RACY_NS
        row = SourceRow(self.task.name, found.size, UNSETTLED if racy else found.mtime_ns, self.digest, state)
        if state == "pending":
            return replace(row, chunks=old.chunks if old else 0, documents=old.documents if old else 0)
        if self.untouched and old:
            return replace(old, size=row.size, mtime_ns=row.mtime_ns)
        more = self.refused - len(self.reasons)
        reason = "; ".join(self.reasons) + (f"; and {more:,} more" if more else "")
        counts = (self.documents, self.chunks, self.truncated)
        if self.failed and old:
            counts = (old.documents, old.chunks, old.truncated)
        return replace(row, reason=reason, documents=counts[0], chunks=counts[1], truncated=counts[2])


@dataclass(slots=True)
class Entry:
    """One step in the order of the input: a chunk, or the end of a source."""

    tally: Tally
    chunk: Chunk | None = None
    embed: bool = False


@dataclass(slots=True)
class Checkpoint:
    chunks: list[Chunk] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)
    moved: list[Chunk] = field(default_factory=list)
    """Chunks whose text is stored already: their vectors are reused."""
    touched: dict[str, Tally] = field(default_factory=dict)
    finished: list[Tally] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.chunks) + len(self.moved)

    @property
    def size(self) -> int:
        return self.rows + len(self.finished)


def as_read(entry: Entry, *, cut: bool) -> Chunk:
    """The chunk, flagged if the model read only its head: a hosted one may take less than was known of it."""
    assert entry.chunk is not None
    if not cut or entry.chunk.truncated:
        return entry.chunk
    entry.tally.truncated += 1
    return replace(entry.chunk, truncated=True)
