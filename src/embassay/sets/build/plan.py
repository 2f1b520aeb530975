"""What an index run has to do: which files are new, changed, unchanged or gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embassay.errors import UsageError
from embassay.ingest.read import streams
from embassay.ingest.walk import Found, walk
from embassay.sets.folder import HomeFolder
from embassay.sets.state import SourceRow


@dataclass(frozen=True, slots=True)
class Task:
    """A file to look at, and its row from an earlier run if there is one."""

    found: Found
    name: str
    row: SourceRow | None


@dataclass(slots=True)
class Plan:
    tasks: list[Task] = field(default_factory=list)
    unchanged: int = 0
    gone: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason) of files left out."""

    @property
    def bytes(self) -> int:
        return sum(task.found.size for task in self.tasks)


def make_plan(
    home: HomeFolder,
    paths: Iterable[Path],
    known: Mapping[str, SourceRow],
    *,
    max_bytes: int,
    retry_failed: bool = False,
    checksum: bool = False,
) -> Plan:
    """Walk `paths` and hold every file against its row.

    A file whose size and time are as recorded is unchanged; `checksum` reads it all the same. A quarantined
    file is tried again when it changed or with `retry_failed`. Raises UsageError for a path that neither
    exists nor was indexed.
    """
    plan = Plan()
    seen, hidden = set(), []
    existing, missing = _split(home, paths, known)
    for found in walk(existing, max_bytes=max_bytes, streams=streams()):
        name = home.name_of(found.file)
        if found.unreadable:
            hidden.append(name)
        if found.skip:
            plan.skipped.append((name.encode("utf-8", "replace").decode(), found.skip))
            continue
        seen.add(name)
        row = known.get(name)
        if row and not checksum and _unchanged(row, found) and not (retry_failed and row.reason):
            plan.unchanged += 1
        else:
            plan.tasks.append(Task(found, name, row))
    gone = missing | {name for folder in existing for name in _under(home, home.name_of(folder), known)}
    kept = seen | {name for folder in hidden for name in _under(home, folder, known)}
    plan.gone = sorted(gone - kept)
    return plan


def _split(home: HomeFolder, paths: Iterable[Path], known: Mapping[str, SourceRow]) -> tuple[list[Path], set[str]]:
    """Paths that exist, and names that were indexed once but do not any more."""
    existing: list[Path] = []
    missing: set[str] = set()
    for path in paths:
        if path.exists():
            existing.append(path)
            continue
        gone = _under(home, home.name_of(path), known)
        if not gone:
            raise UsageError(f"{path}: no such file or folder.")
        missing |= gone
    return existing, missing


def _under(home: HomeFolder, folder: str, names: Iterable[str]) -> set[str]:
    """Those of `names` that are `folder` or lie below it."""
    root = home.file_of(folder)
    return {name for name in names if home.file_of(name).is_relative_to(root)}


def _unchanged(row: SourceRow, found: Found) -> bool:
    return row.state != "pending" and row.size == found.size and row.mtime_ns == found.mtime_ns
