"""Holds the files under some paths against what was indexed of them: which are new, changed, unchanged or gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from embassay.errors import UsageError
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.flow import find
from embassay.ingest.read import reader_name
from embassay.ingest.scope import Scope
from embassay.ingest.walk import FoundFile
from embassay.sets.folder import OTHER_FORM, HomeFolder
from embassay.sets.removal import Removals
from embassay.sets.state import SourceRow

OF_A_RECORD = "a record of the set has this name as its id"


@dataclass(frozen=True, slots=True)
class DueFile:
    """A file to look into."""

    found: FoundFile
    name: str
    """What it is called in the set."""
    row: SourceRow | None
    """Its row from an earlier run, if there is one."""
    again: bool = False
    """Whether what failed of it is tried again, though its content be the same."""


@dataclass(slots=True)
class IndexPlan:
    """What an index run over files has to do."""

    due: list[DueFile] = field(default_factory=list)
    """Files that are new, or may have changed."""
    unchanged: int = 0
    gone: list[SourceRow] = field(default_factory=list)
    """Rows of files that were indexed and are no more, ordered by name."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason) of files that are left out."""
    newly_skipped: list[DueFile] = field(default_factory=list)
    """Those of them that the rows of the set do not name yet."""

    @property
    def bytes(self) -> int:
        """Of all files that are due."""
        return sum(file.found.size for file in self.due)


def make_plan(
    home: HomeFolder,
    paths: Iterable[Path],
    known: Mapping[str, SourceRow],
    *,
    max_file_mb: float = MAX_FILE_MB,
    exclude: Exclusions = NOTHING,
    retry_failed: bool = False,
    checksum: bool = False,
    only: Scope | None = None,
    named: bool = True,
) -> IndexPlan:
    """Walk `paths` and hold every file against its row in `known`, which has the rows of the set by name.

    Records of the set are left alone, and so are files that were deleted from it, unless somebody gave their names: see
    `embassay.sets.removal`; paths that are not `named` were remembered. What was imported stays until a file of its
    name takes its place. A file whose size and time are as recorded is unchanged, unless `checksum` asks for its
    content or another reader than before claims it. A file that was quarantined or skipped is tried again when it
    changed, or with `retry_failed`. What `exclude` names is left out, and what was indexed of it goes, wherever in the
    set it lies. With `only`, nothing else of `paths` is looked at, and no other row. Raises UsageError for a path that
    neither exists nor was indexed.
    """
    plan = IndexPlan()
    records = {name for name, row in known.items() if row.is_record}
    imported = {name for name, row in known.items() if row.is_imported}
    known = {name: row for name, row in known.items() if name not in records}
    removals = Removals(known.values())
    seen, hidden = set(), []
    existing, missing = _split(home, paths, known)
    asked = [home.name_of(path) for path in existing] if named else []
    if only:
        known = _within(known, {home.name_of(path) for path in only.paths})
    for found in find(existing, max_file_mb=max_file_mb, exclude=exclude, only=only):
        name = home.name_of(found.file).encode("utf-8", "replace").decode()
        while name in seen:  # names that differ only in how accents are written, and none of them is composed
            name += OTHER_FORM
        seen.add(name)
        if found.unreadable:
            hidden.append(name)
        row = known.get(name)
        reason = OF_A_RECORD if name in records else removals.reason(name, asked)
        if reason:
            plan.skipped.append((name, reason))
        elif found.skip:
            _skip(plan, DueFile(found, name, row))
        elif row is None or checksum or removals.names(name) or _is_due(row, found) or (retry_failed and row.reason):
            plan.due.append(DueFile(found, name, row, again=retry_failed))
        elif row.state == "skipped":
            plan.skipped.append((name, row.reason))
        else:
            plan.unchanged += 1
    gone = missing & known.keys() | {name for folder in existing for name in _under(home, home.name_of(folder), known)}
    kept = seen | {name for folder in hidden for name in _under(home, folder, known)}
    excluded = {name for name in known.keys() - seen if exclude.reason(home.file_of(name))}
    plan.gone = [known[name] for name in sorted((gone - kept - imported) | excluded)]
    return plan


def _skip(plan: IndexPlan, file: DueFile) -> None:
    """A file that is not even opened. What was indexed of one that the system hides now stays as it was."""
    plan.skipped.append((file.name, file.found.skip))
    row = file.row
    if row is None or not (file.found.unreadable or (row.state, row.reason) == ("skipped", file.found.skip)):
        plan.newly_skipped.append(file)


def _split(home: HomeFolder, paths: Iterable[Path], known: Mapping[str, SourceRow]) -> tuple[list[Path], set[str]]:
    """Paths that exist, and names that were indexed once but are not there any more."""
    existing: list[Path] = []
    missing: set[str] = set()
    for path in paths:
        if path.exists():
            existing.append(path)
            continue
        gone = {name for name in _under(home, home.name_of(path), known) if not known[name].is_imported}
        if not gone:
            raise UsageError(f"{path}: no such file or folder.")
        missing |= gone
    return existing, missing


def _within(known: Mapping[str, SourceRow], names: Set[str]) -> Mapping[str, SourceRow]:
    """The rows whose names are among `names`, or lie below one of them."""
    return {name: row for name, row in known.items() if name in names or not names.isdisjoint(_above(name))}


def _above(name: str) -> Iterator[str]:
    """The names of the folders above a file, up to the root of all that is named."""
    at = name.rfind("/")
    while at > 0:
        yield name[:at]
        at = name.rfind("/", 0, at)
    yield "/" if name.startswith("/") else "."


def _under(home: HomeFolder, folder: str, names: Iterable[str]) -> set[str]:
    """Those of `names` that are `folder` or lie below it."""
    root = home.file_of(folder)
    return {name for name in names if home.file_of(name).is_relative_to(root)}


def _is_due(row: SourceRow, found: FoundFile) -> bool:
    """Whether there may be more in the file than what its row tells: it changed, a run stopped, or another reader has
    come to read it since."""
    if not row.is_settled or (row.size, row.mtime_ns) != (found.size, found.mtime_ns):
        return True
    return not row.is_of(reader_name(found.file.suffix))
