"""Holds what is known of the files and records of a set against the disk and against the rows that are stored.

What mends a finding is a command that can be run as it stands: it names the paths that are concerned.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from embassay import remedy
from embassay.remedy import Remedy
from embassay.sets.folder import HomeFolder
from embassay.sets.state import UNSETTLED, SourceRow

Level = Literal["problem", "notice"]
Row = tuple[str, Level, str, Remedy | str]
"""Check, level, message and remedy of a finding."""
NAMED = 5
"""Paths that a remedy names at most, where a folder can stand for them."""
ORPHANS = "Index into a new set and use that one."


@dataclass(slots=True)
class _Found:
    """Names of files, and of records, that something is the matter with."""

    expected: dict[str, int] = field(default_factory=dict)
    """Name to the rows that were written of it."""
    records: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    pending: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    partly: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def files(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self.records and name not in self.imported]

    def ids(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.records]

    def others(self, names: Iterable[str]) -> list[str]:
        """Those that came with an export."""
        return [name for name in names if name in self.imported]


def examine_sources(
    home: HomeFolder, set_name: str, sources: Sequence[SourceRow], rows: Mapping[str, int]
) -> Iterator[Row]:
    """Findings about the `sources` of a set; `rows` says how many are stored of each path."""
    found = _Found()
    for source in sources:
        if source.state != "skipped":
            _look(home, source, found)
    yield from _bookkeeping(home, set_name, found, rows)
    yield from _on_disk(home, set_name, found)


def _look(home: HomeFolder, source: SourceRow, found: _Found) -> None:
    name = source.path
    found.expected[name] = source.chunks
    found.failed += [name] * source.quarantined
    found.partly += [name] * bool(source.left_out)
    found.waiting += [name] * source.waits
    found.pending += [name] * (source.state == "pending" and not source.waits)
    if not source.is_on_disk:
        (found.records if source.is_record else found.imported).add(name)
        return
    try:
        status = home.file_on_disk(name).stat()
    except OSError:
        found.gone.append(name)
        return
    if status.st_size != source.size or source.mtime_ns not in (UNSETTLED, status.st_mtime_ns):
        found.changed.append(name)


def _bookkeeping(home: HomeFolder, set_name: str, found: _Found, rows: Mapping[str, int]) -> Iterator[Row]:
    orphans = sum(count for path, count in rows.items() if path not in found.expected)
    if orphans:
        yield "orphans", "problem", f"{orphans:,} rows belong to no known file.", ORPHANS
    if found.waiting:
        message = f"{len(found.waiting):,} documents wait for their vectors: they are found by words only until then."
        yield "waiting", "notice", message, remedy.command("index", set=set_name, say="Embed them")
    if files := found.files(found.pending):
        message = f"{len(files):,} files were being indexed when a run stopped."
        yield "unfinished", "problem", message, index_again(home, set_name, files)
    if ids := found.ids(found.pending):
        message = f"{len(ids):,} records were being written when a process stopped, first {ids[0]!r}."
        yield "unfinished", "problem", message, _upsert_again(set_name, ids)
    if names := found.others(found.pending):
        message = f"{len(names):,} documents were being imported when a process stopped, first {names[0]!r}."
        yield "unfinished", "problem", message, _import_again(set_name)
    if found.pending:
        return
    lost = [path for path, count in found.expected.items() if rows.get(path, 0) != count]
    if files := found.files(lost):
        message = f"{len(files):,} files have more or fewer rows than were written."
        yield "rows", "problem", message, index_again(home, set_name, files, checksum=True)
    if ids := found.ids(lost):
        message = f"{len(ids):,} records have more or fewer rows than were written, first {ids[0]!r}."
        yield "rows", "problem", message, _upsert_again(set_name, ids)
    if names := found.others(lost):
        message = f"{len(names):,} imported documents have more or fewer rows than were written, first {names[0]!r}."
        yield "rows", "problem", message, _import_again(set_name)


def _on_disk(home: HomeFolder, set_name: str, found: _Found) -> Iterator[Row]:
    if found.gone:
        message = f"{len(found.gone):,} indexed files are gone."
        yield "stale", "problem", message, index_again(home, set_name, found.gone)
    if found.changed:
        message = f"{len(found.changed):,} files changed since they were indexed."
        yield "stale", "problem", message, index_again(home, set_name, found.changed)
    if files := found.files(found.failed):
        message = f"{len(files):,} files could not be read; the status of the set lists them."
        yield "quarantine", "notice", message, index_again(home, set_name, files, retry_failed=True)
    if ids := found.ids(found.failed):
        message = f"{len(ids):,} records were refused; the status of the set lists them."
        yield "quarantine", "notice", message, _upsert_again(set_name, ids)
    if found.partly:
        message = (
            f"of {len(found.partly):,} files only a part gave text; the status of the set lists what was left out."
        )
        yield "coverage", "notice", message, ""


def index_again(home: HomeFolder, set_name: str, names: Iterable[str], **options: remedy.Value) -> Remedy:
    """The command that brings files up to date, by the paths that it has to be given.

    A folder that is gone stands for what was in it: a run takes out of a set whatever it does not find below the paths
    that it is given. Many paths are named by the folder that they lie in, if it lies in the home's.
    """
    paths = sorted({str(_highest_gone(home.file_on_disk(name))) for name in names}) or ["FOLDER"]
    if len(paths) > NAMED and Path(shared := os.path.commonpath(paths)).is_relative_to(home.file_of("")):
        paths = [shared]
    return remedy.command("index", *map(_typed, paths), set=set_name, **options)  # type: ignore[arg-type]


def _upsert_again(set_name: str, ids: Sequence[str]) -> Remedy:
    """Records have no file to be read again: whoever handed them over does so once more."""
    return remedy.command("delete", set_name, id=ids[0], say="Upsert them again, or delete them, as by {}")


def _import_again(set_name: str) -> Remedy:
    """The export may lie anywhere: whoever imported it knows where."""
    return remedy.command("import", "FOLDER", set=set_name, say="Import it again: {}")


def any_file(sources: Iterable[SourceRow]) -> list[str]:
    """A file of a set, by which a run has something to look at; none where it holds records alone."""
    return next(([row.path] for row in sources if row.is_on_disk and row.state == "ok"), [])


def _highest_gone(file: Path) -> Path:
    """The folder that is gone with a file, the outermost one; the file itself where its folder is there."""
    while not file.parent.exists():
        file = file.parent
    return file


def _typed(path: str) -> str:
    """A path as one would type it here: from the working folder on where it lies inside."""
    here = Path.cwd()
    return os.path.relpath(path, here) if Path(path).is_relative_to(here) else path
