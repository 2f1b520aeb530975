"""Records as a source of a run: those that say something new are cut, the rest is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from embassay.errors import UsageError
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import FileEnd, Loaded, ReadStep, chunked
from embassay.sets.build.origin import Change, Ended, New, Origin, changes, recall
from embassay.sets.build.source import SourceOutcome
from embassay.sets.records.given import OWN, digest_of
from embassay.sets.state import RECORD, Generation, SourceRow, State
from embassay.stores.base import Store
from embassay.text import composed
from embassay.types import Document, Record

GROUP = 1024
"""Records that are looked up, and cut, at once."""
NAMED = 5
"""Ids that an error names."""


class Records:
    """The records of one call. Each is an origin."""

    total: int | None = None

    def __init__(
        self,
        records: Iterable[Record],
        books: tuple[State, Generation, Store],
        chunker: Callable[[], Chunker],
        vouch: Callable[[Sequence[Record]], Sequence[Record]],
    ) -> None:
        """`chunker` is called only if there is something to cut: it may load a model's tokenizer.

        `vouch` makes sure of the vectors that records have of their own, and gives the records with those as they are
        stored; it is asked about each group before anything of it is written.
        """
        self._records = iter(records)
        self._state, self._generation, self._store = books
        self._open_chunker, self._vouch = chunker, vouch
        self._chunker: Chunker | None = None
        self._without_text: list[tuple[str, str]] = []
        self.what = "records"
        self.added = self.updated = self.unchanged = self.given = 0

    def __iter__(self) -> Iterator[Change]:
        while group := list(islice(self._records, GROUP)):
            yield from self._changes(group)

    def outcome(self) -> SourceOutcome:
        """Counts, and records that hold no text among those that were skipped."""
        skipped = tuple(self._without_text)
        return SourceOutcome(self.added + self.updated, self.unchanged, 0, skipped)

    def _changes(self, group: Sequence[Record]) -> Iterator[Change]:
        rows = self._state.sources_of(self._generation, [record.id for record in group])
        refuse_files(self._generation.set_name, rows.values())
        said = [_origin(record, digest_of(record), rows.get(record.id)) for record in self._vouch(group)]
        recall(self._store, said)
        origins = [origin for origin in said if not _is_stored(origin)]
        self.unchanged += len(said) - len(origins)
        there = sum(is_there(origin.before) for origin in origins)
        self.updated += there
        self.added += len(origins) - there
        if origins:
            yield from self._cut(origins)

    def _cut(self, origins: Sequence[Origin]) -> Iterator[Change]:
        """All that is to be done about some records; nothing is given where one of them cannot be what it was said."""
        if self._chunker is None:
            self._chunker = self._open_chunker()
        found = changes(chunked(_steps(origins), self._chunker))
        for change in _one_chunk_each(found) if origins[0].vector is not None else found:
            self.given += isinstance(change, New) and change.vector is not None
            if isinstance(change, Ended) and not change.origin.chunks:
                self._without_text.append((change.origin.name, "no text"))
            yield change


def refuse_files(set_name: str, rows: Iterable[SourceRow]) -> None:
    """Raises UsageError where one of these sources is a file."""
    if files := [row.path for row in rows if not row.is_record]:
        raise UsageError(
            f"set {set_name!r} has files of these names, so that records cannot have them as ids: {named(files)}."
        )


def is_there(row: SourceRow | None) -> bool:
    """Whether a record was written to its end at least once."""
    return row is not None and (row.state != "pending" or row.documents > 0)


def named(ids: Sequence[str]) -> str:
    """The first few of some ids, and how many there are besides."""
    more = len(ids) - NAMED
    return ", ".join(map(repr, ids[:NAMED])) + (f", and {more:,} more" if more > 0 else "")


def _origin(record: Record, digest: str, row: SourceRow | None) -> Origin:
    """Stored vectors of a record are not those of the model where it had one of its own, and nobody knows whose they
    are where it was being written when a run stopped."""
    own = digest.startswith(OWN)
    afresh = own or (row is not None and (row.state == "pending" or row.digest.startswith(OWN)))
    return Origin(
        record.id,
        row,
        len(record.text),
        digest=digest,
        reader=RECORD,
        record=record,
        vector=record.vector if own else None,  # type: ignore[arg-type]  # an array, once `vouch` has seen it
        afresh=afresh,
    )


def _is_stored(origin: Origin) -> bool:
    """Whether the record was written as it is now, and all its rows are still there."""
    row = origin.before
    written = row is not None and (row.state, row.reason, row.digest) == ("ok", "", origin.digest)
    return written and row is not None and row.chunks == len(origin.existing)


def _steps(origins: Iterable[Origin]) -> Iterator[ReadStep[Origin]]:
    for origin in origins:
        record = origin.record
        assert record is not None
        text, title = composed(record.text), composed(record.title)
        yield Loaded(origin, Document(record.id, record.id, text, title=title, metadata=record.metadata))
        yield FileEnd(origin)


def _one_chunk_each(found: Iterable[Change]) -> list[Change]:
    """The changes of records with vectors of their own. Raises UsageError for a record of several chunks."""
    listed = list(found)
    for change in listed:
        if change.origin.chunks > 1:
            raise UsageError(
                f"record {change.origin.name!r} is cut into {change.origin.chunks:,} chunks, so that it cannot have "
                "one vector of its own.",
                remedy="Cut it before you add it, or leave its vector to the model.",
            )
    return listed
