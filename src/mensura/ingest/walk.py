"""Which files a run is about: folders walked as git would, each file with a reason when it is left out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from mensura.errors import UsageError

NOT_DOCUMENTS = frozenset({".lock", ".map", ".svg", ".pyc", ".css", ".woff2"})
"""Suffixes of text that nobody searches."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and what `stat` said of it."""

    file: Path
    size: int
    mtime_ns: int
    skip: str = ""
    """Why it is left out; empty when it is to be read."""


@dataclass(frozen=True, slots=True)
class _Ignore:
    folder: Path
    spec: GitIgnoreSpec

    def matches(self, path: Path, *, is_dir: bool) -> bool:
        relative = path.absolute().relative_to(self.folder).as_posix()
        return self.spec.match_file(relative + "/" if is_dir else relative)


def walk(paths: Iterable[Path], *, max_bytes: int, streams: frozenset[str] = frozenset()) -> Iterator[Found]:
    """Every file under `paths`, each once, in a stable order.

    Hidden entries and what .gitignore names are passed over silently, except paths given by name.
    Directory links are followed, each directory once. Files above `max_bytes` carry a reason, unless
    their suffix is in `streams`. Raises UsageError for a path that does not exist.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}.") from error
        if path.is_dir():
            yield from _folder(path, _ignores_above(path), seen, max_bytes, streams)
        elif (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield _found(path, status, max_bytes, streams)


def _folder(
    folder: Path, ignores: list[_Ignore], seen: set[tuple[int, int]], max_bytes: int, streams: frozenset[str]
) -> Iterator[Found]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        yield Found(folder, 0, 0, f"cannot be listed: {error.strerror or error}")
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    ignores = ignores + _ignore_in(folder)
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        try:
            is_dir, status = entry.is_dir(), entry.stat()
        except OSError as error:
            yield Found(path, 0, 0, f"cannot be read: {error.strerror or error}")
            continue
        if any(ignore.matches(path, is_dir=is_dir) for ignore in ignores):
            continue
        if is_dir:
            yield from _folder(path, ignores, seen, max_bytes, streams)
        elif entry.is_symlink() and (status.st_dev, status.st_ino) in seen:
            continue
        elif entry.is_file():
            seen.add((status.st_dev, status.st_ino))
            yield _found(path, status, max_bytes, streams)


def _found(path: Path, status: os.stat_result, max_bytes: int, streams: frozenset[str]) -> Found:
    suffix = path.suffix.lower()
    skip = ""
    if suffix in NOT_DOCUMENTS or path.name.endswith((".min.js", "-lock.json")):
        skip = "not a document"
    elif status.st_size > max_bytes and suffix not in streams:
        skip = f"{status.st_size / 1e6:,.0f} MB, the limit is {max_bytes / 1e6:,.0f} MB (--max-file-mb)"
    return Found(path, status.st_size, status.st_mtime_ns, skip)


def _ignores_above(folder: Path) -> list[_Ignore]:
    """The .gitignore files between the repository's root and `folder`, outermost first."""
    above = []
    for parent in (folder.absolute(), *folder.absolute().parents):
        if parent != folder.absolute():
            above.append(parent)
        if (parent / ".git").exists():
            return [ignore for p in reversed(above) for ignore in _ignore_in(p)]
    return []


def _ignore_in(folder: Path) -> list[_Ignore]:
    try:
        lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
        return [_Ignore(folder.absolute(), GitIgnoreSpec.from_lines(lines))]
    except (OSError, ValueError):
        return []
