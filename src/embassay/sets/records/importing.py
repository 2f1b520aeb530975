"""Rows of files into a set as records, each on its own: what makes no record is told, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING

from embassay.errors import ReadError, UsageError
from embassay.metadata import kept
from embassay.sets.coverage import Named, listed
from embassay.sets.records.given import digest_of, read_record
from embassay.sets.records.report import RecordsReport
from embassay.sets.records.source import GROUP, is_there
from embassay.sets.records.writing import upsert
from embassay.types import Record

if TYPE_CHECKING:
    from embassay.ingest.base import RawRecord
    from embassay.ingest.rows import RecordFields
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import Wishes
    from embassay.sets.state import SourceRow

LISTED = 1_000
"""Rows that were left out of which the reasons are kept; the others are counted."""
OTHER = "the set has another record of this id"
"""Why a row is left out that would replace what is there."""

_ROW = "record of this line"
"""How an error of a record begins that has no id to be named by: its line is named in front of it."""

Source = tuple[str, "Iterable[RawRecord | ReadError]"]
"""The name of a file, and its rows."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of the rows of some files."""

    set: str
    rows: int
    """That were read, those that were left out included."""
    new: int
    changed: int
    """Of which the set has another record, which they replace."""
    unchanged: int
    differing: int
    """Of which the set has another record, which they were not to replace: they are left out."""
    left_out: int
    """Rows that were left out, for this reason and others."""
    reasons: Named
    """(file and line, reason) of the first of those, and of fields that were left out of rows."""
    written: RecordsReport | None
    """What was written; None where nothing was to be."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        counts = ("set", "rows", "new", "changed", "unchanged", "differing", "left_out")
        written = None if self.written is None else self.written.to_dict()
        return {name: getattr(self, name) for name in counts} | {
            "reasons": listed(self.reasons),
            "written": written,
        }


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    differing: int = 0
    left_out: int = 0
    reasons: list[tuple[str, str]] = field(default_factory=list)

    def leave_out(self, place: str, reason: str) -> None:
        self.left_out += 1
        self.tell(place, reason)

    def tell(self, place: str, reason: str) -> None:
        if len(self.reasons) < LISTED:
            self.reasons.append((place, reason))


@dataclass(frozen=True, slots=True)
class _Placed:
    record: Record
    file: str
    line: int


def import_rows(
    sets: OpenSets,
    name: str,
    sources: Iterable[Source],
    fields: RecordFields,
    wishes: Wishes,
    *,
    replace: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """Make set `name` hold the records of these files, which are read as they are written.

    A row whose record the set has as it is costs nothing. One whose id it has with something else is left out, unless
    it is to `replace` that; so is a row that makes no record, whose id came before, or is that of a file of the set.
    With `dry_run` nothing is written. Raises what `upsert` raises.
    """
    tally = _Tally()
    coming = _wanted(sets, name, _records(sources, fields, tally), tally, replace=replace)
    first = next(coming, None)
    written = None
    if dry_run:
        for _ in coming:
            pass
    elif first is not None:
        written = upsert(sets, name, chain([first], coming), wishes)
    return ImportReport(
        name, tally.rows, tally.new, tally.changed, tally.unchanged, tally.differing, tally.left_out,
        tuple(tally.reasons), written,
    )  # fmt: skip


def _records(sources: Iterable[Source], fields: RecordFields, tally: _Tally) -> Iterator[_Placed]:
    """The records of all rows that make one, each id once."""
    seen: dict[str, tuple[str, int]] = {}
    for file, rows in sources:
        for row in rows:
            tally.rows += 1
            if isinstance(row, ReadError):
                tally.leave_out(file, row.message)
                continue
            try:
                record = _record(fields, row, file, tally)
            except ReadError as error:
                tally.leave_out(file, error.message)
                continue
            except UsageError as error:
                tally.leave_out(file, f"line {row.line}: {error.message.removeprefix(f'{_ROW}: ')}")
                continue
            if (before := seen.setdefault(record.id, (file, row.line))) != (file, row.line):
                of = "" if before[0] == file else f" of {before[0]}"
                tally.leave_out(file, f"line {row.line}: the id {record.id!r} came before, in line {before[1]}{of}")
                continue
            yield _Placed(record, file, row.line)


def _record(fields: RecordFields, row: RawRecord, file: str, tally: _Tally) -> Record:
    """The record of a row. What its metadata cannot hold is told. Raises ReadError and UsageError."""
    given = fields.record(row)
    found = kept(given["metadata"])  # type: ignore[arg-type]
    for name, what in found.losses.items():
        tally.tell(file, f"line {row.line}: the field {name!r} {what}")
    return read_record(given | {"metadata": found.metadata}, "of this line")


def _wanted(sets: OpenSets, name: str, records: Iterator[_Placed], tally: _Tally, *, replace: bool) -> Iterator[Record]:
    """Those of the records that are to be written."""
    while group := list(islice(records, GROUP)):
        rows, kept = _known(sets, name, [one.record.id for one in group])
        for one in group:
            there = rows.get(one.record.id)
            if there is not None and not there.is_record:
                tally.leave_out(one.file, f"line {one.line}: a file of the set has the name {one.record.id!r}")
            elif there is None or not is_there(there):
                tally.new += 1
                yield one.record
            elif _says(one.record, there, kept):
                tally.unchanged += 1
                yield one.record  # its vector may be another one
            elif replace:
                tally.changed += 1
                yield one.record
            else:
                tally.differing += 1
                tally.leave_out(one.file, f"line {one.line}: {OTHER}, {one.record.id!r}")


def _known(sets: OpenSets, name: str, ids: list[str]) -> tuple[dict[str, SourceRow], Callable[[str], Record | None]]:
    """Rows of those of these ids that the set has, and what gives the record of one."""
    if not sets.exists or name not in sets.state.sets():
        return {}, lambda _: None
    generation, state = sets.live(name), sets.state
    return state.sources_of(generation, ids), lambda one: state.records.get(generation.id, [one]).get(one)


def _says(record: Record, there: SourceRow, kept: Callable[[str], Record | None]) -> bool:
    """Whether the set has a record that says the same, whatever vector it has."""
    if record.vector is None and there.digest == digest_of(record):
        return True
    before = kept(record.id)
    plain = Record(record.id, record.text, record.title, record.metadata)
    return before is not None and digest_of(before) == digest_of(plain)
