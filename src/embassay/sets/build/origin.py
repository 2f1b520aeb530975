"""What an index run keeps of each origin while it works on it, and the changes that come of it.

An origin is what chunks come from and what is indexed, or found gone, as a whole: a file, or a record. Its
row in the bookkeeping tells the next run what was indexed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from embassay.ingest.base import LeftOut
from embassay.ingest.flow import Chunked, CutStep, FileEnd, NoText, Omitted, Uncut, Unreadable
from embassay.sets.state import UNSETTLED, SourceRow
from embassay.sets.totals import WORDS_ONLY, WRITING_WORDS_ONLY
from embassay.text import encodable
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.stores.base import Store
    from embassay.types import Record, Vectors

REASONS = 3
"""Reasons that are kept of one origin; a count stands for the rest."""


_READ = ("documents", "chunks", "truncated", "chars", "left_out", "left_chars")
"""Fields of a row that stay as they are when the file cannot be read any more, because its chunks do."""


@dataclass(slots=True)
class Reasons:
    """Why parts of an origin are missing: the first few reasons, and how many there were."""

    first: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, reason: str) -> None:
        """Count a reason, and keep it if it is one of the first."""
        self.count += 1
        if len(self.first) < REASONS:
            self.first.append(encodable(reason))

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return "; ".join(self.first) + (f"; and {more:,} more" if more else "")


@dataclass(slots=True)
class Origin:
    """An origin of chunks, such as a file, while an index run works on it.

    The thread that reads fills it up to its end. What the embedder says of its chunks comes from another thread at the
    same time, and has fields of its own.
    """

    name: str
    """The path that its chunks carry."""
    before: SourceRow | None = None
    """Its row from an earlier run."""
    size: int = 0
    """How much of the run's work it is: the bytes of a file."""
    mtime_ns: int = UNSETTLED
    digest: str = ""
    """Of its content, by which the next run knows whether it changed."""
    reader: str = ""
    """Who reads it, by which the next run knows whether another one would."""
    existing: dict[str, Chunk] = field(default_factory=dict)
    """Its chunks from earlier runs, by key; those that remain at its end are stale."""

    documents: int = 0
    chunks: int = 0
    truncated: int = 0
    readable: bool = False
    """At least one document of it could be read."""
    unread: Reasons = field(default_factory=Reasons)
    """Why documents of it could not be read or cut."""
    left: Reasons = field(default_factory=Reasons)
    """What of it gave no text, though nothing failed."""
    chars: int = 0
    """Characters of its documents."""
    left_chars: int = 0
    """Characters that `left` holds, as far as that is known."""
    untouched: bool = False
    """Its content is what it was: nothing changes but size and time."""
    skipped: str = ""
    """Why it is no document at all, so that nothing of it is indexed."""
    gone: bool = False
    """It is no more: its chunks and its row go."""
    record: Record | None = None
    """What was handed over, where it is no file."""
    vector: Vectors | None = None
    """Its own vector (dimensions,), made elsewhere: that of its only chunk."""
    afresh: bool = False
    """The vectors that are stored of it are not trusted to be what its chunks get now."""
    copied: SourceRow | None = None
    """Its row in the generation that it is copied from, where it is neither read nor cut here."""

    unembedded: bool = False
    """Some of its chunks are stored without a vector, so that it waits for the model."""
    shortened: int = 0
    """Chunks that the model read only the head of, though they were expected to fit."""
    refused: Reasons = field(default_factory=Reasons)
    """Why the provider did not take chunks of it."""
    _told: int = 0
    """How much of `size` its changes have counted so far."""

    def omit(self, part: LeftOut) -> None:
        """Keep that a part of it gave no text."""
        self.left.add(part.reason)
        self.left_chars += part.chars

    def take(self, chunk: Chunk) -> New | Moved | None:
        """Count a chunk of it, and tell what has to be done: embed and store it, store it with the vector that is there
        already, or nothing, because it is stored as it is."""
        self.chunks += 1
        self.truncated += chunk.truncated
        old = self.existing.pop(chunk.key, None)
        if old is None or self.afresh or (self.before is not None and self.before.waits):
            return New(self, chunk, self._part(len(chunk.indexed)), self.vector)
        return Moved(self, chunk, self._part(len(chunk.indexed))) if old != chunk else None

    def end(self) -> Ended:
        """The change that ends it, behind which nothing more comes of it."""
        return Ended(self, self._part(self.size))

    def _part(self, size: int) -> int:
        """As much of `size` as is left of the whole: an origin counts with all its size, however it is cut."""
        part = min(self.size - self._told, size)
        self._told += part
        return part

    @property
    def failed(self) -> bool:
        """Nothing of it could be read: what was indexed of it before stays."""
        return self.unread.count > 0 and not self.readable

    @property
    def stale(self) -> Collection[str]:
        """Keys of rows that it no longer has, known at its end."""
        return () if self.failed or self.untouched else self.existing.keys()

    def pending(self) -> SourceRow:
        """Its row while its chunks are being written: a run that finds one repeats the origin."""
        old = self.before
        waits = self.unembedded or bool(old and old.waits)  # some of its rows have zeros
        row = self._row("pending", WRITING_WORDS_ONLY if waits else "")
        return replace(row, documents=old.documents, chunks=old.chunks) if old else row

    def settled(self) -> SourceRow | None:
        """Its row once all its chunks are written; None if it is gone."""
        row = self._settled()
        return replace(row, state="pending", reason=WORDS_ONLY) if row and self.unembedded else row

    def _settled(self) -> SourceRow | None:
        old = self.before
        if self.gone:
            return None
        if self.copied:
            return self._as_copied(self.copied)
        if self.untouched and old:
            return replace(old, size=self.size, mtime_ns=self.mtime_ns, reader=self.reader)
        if self.skipped:
            return self._row("skipped", self.skipped)
        if self.failed and old:
            failed = self._row("failed", self._reason())
            kept = {name: getattr(old, name) for name in _READ}
            return replace(failed, **kept)
        return replace(
            self._row("failed" if self.failed else "ok", self._reason()),
            documents=self.documents,
            chunks=self.chunks - self.refused.count,
            truncated=self.truncated + self.shortened,
            chars=self.chars,
            left_out=str(self.left),
            left_chars=self.left_chars,
        )

    def _as_copied(self, row: SourceRow) -> SourceRow:
        reasons = [reason for reason in (row.reason, str(self.refused)) if reason]
        return replace(
            row,
            chunks=self.chunks - self.refused.count,
            truncated=self.truncated + self.shortened,
            reason="; ".join(reasons),
        )

    def _row(self, state: Literal["pending", "failed", "ok", "skipped"], reason: str = "") -> SourceRow:
        return SourceRow(self.name, self.size, self.mtime_ns, self.digest, state, reason, reader=self.reader)

    def _reason(self) -> str:
        first = [*self.unread.first, *self.refused.first][:REASONS]
        return str(Reasons(first, self.unread.count + self.refused.count))


@dataclass(frozen=True, slots=True)
class New:
    """A chunk whose text is to be embedded and stored."""

    origin: Origin
    chunk: Chunk
    size: int = 0
    """How much of the run's work is done with it, in the unit of `Source.total`."""
    vector: Vectors | None = None
    """Its vector (dimensions,), where that was handed over; None: it is made of the text."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A chunk whose text is stored already; its lines or its metadata are others now, its vector stays."""

    origin: Origin
    chunk: Chunk
    size: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an origin: with it, stale rows go and the bookkeeping is settled."""

    origin: Origin
    size: int = 0


Change = New | Moved | Ended


def recall(store: Store, origins: Sequence[Origin]) -> None:
    """Give each origin the chunks that are stored of it. Raises StoreError."""
    by_name = {origin.name: origin for origin in origins if origin.before}
    if by_name:
        with store.snapshot() as version:
            for chunk in version.chunks(by_name):
                by_name[chunk.path].existing[chunk.key] = chunk


def changes(steps: Iterable[CutStep[Origin]]) -> Iterator[Change]:
    """What is to be done about documents that were read and cut; their origins keep the books."""
    for step in steps:
        origin = step.owner
        match step:
            case Chunked(document=document, chunks=chunks):
                origin.documents += 1
                origin.readable = True
                origin.chars += document.chars
                if not chunks and document.text.strip():
                    origin.omit(LeftOut(f"{document.id} gave no chunk", len(document.text)))
                for chunk in chunks:
                    change = origin.take(chunk)
                    if change is not None:
                        yield change
            case Uncut(error=error):
                origin.documents += 1
                origin.readable = True
                origin.unread.add(f"{type(error).__name__} while it was cut: {error}")
            case Unreadable(error=error):
                origin.unread.add(error.message)
            case Omitted(part=part):
                origin.omit(part)
            case NoText(reason=reason):
                if origin.documents:
                    origin.omit(LeftOut(reason))
                else:
                    origin.skipped = reason
            case FileEnd():
                yield origin.end()
