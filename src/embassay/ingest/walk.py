"""Finds the files under some paths as git would, each file that is left out with the reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from embassay.errors import UsageError
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.gitignore import Ignore, ignore_in, ignored, ignores_above
from embassay.ingest.scope import Scope

NOT_DOCUMENTS = {
    ".lock": "a lock file",
    ".lockfile": "a lock file",
    ".map": "a source map",
    ".svg": "a drawing",
    ".pyc": "compiled code",
    ".css": "a style sheet",
    ".woff2": "a font",
}
"""Suffixes of files that hold text, but none that anybody searches for, with what they are."""
LOCK_FILES = frozenset(
    "npm-shrinkwrap.json pnpm-lock.yml bun.lockb go.sum go.work.sum package.resolved conda-lock.yml "
    "project.assets.json".split()
)
"""Names, in lower case, of lists of versions and digests that package managers write, beside what ends as one does."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that was found, and what `stat` said of it."""

    file: Path
    size: int
    mtime_ns: int
    skip: str = ""
    """Why it is left out; empty if it is to be read."""
    unreadable: bool = False
    """The system would not say what it is. It, and files below it, may exist all the same."""


def walk(
    paths: Iterable[Path],
    *,
    max_bytes: int,
    streams: frozenset[str] = frozenset(),
    exclude: Exclusions = NOTHING,
    only: Scope | None = None,
) -> Iterator[FoundFile]:
    """Every file under `paths`, each once, in a stable order.

    Hidden entries and what .gitignore names are passed over silently, except paths that are given by name. Links are
    followed last, so that a file goes by its real name where it has one. Files above `max_bytes` are found with a
    reason to leave them out, unless their suffix is in `streams`. So is what `exclude` names; a folder of its is not
    entered. With `only`, nothing else is looked at, and what is found is found as without it, links and files of
    several names apart. Raises UsageError for a path that does not exist.
    """
    return _Walk(max_bytes, streams, exclude, only).run(paths)


class _Walk:
    """One walk: what was seen of it, and the links that are followed at its end."""

    def __init__(self, max_bytes: int, streams: frozenset[str], exclude: Exclusions, only: Scope | None) -> None:
        self._max_bytes, self._streams, self._exclude, self._only = max_bytes, streams, exclude, only
        self._seen: set[tuple[int, int]] = set()
        """Device and inode of every file found and every folder entered."""
        self._links: list[tuple[Path, list[Ignore]]] = []

    def run(self, paths: Iterable[Path]) -> Iterator[FoundFile]:
        """See `walk`."""
        names = set()
        for path in paths:
            try:
                status = path.stat()
            except OSError as error:
                raise UsageError(f"{path}: {error.strerror or error}.") from error
            if self._only and not (path.is_dir() or self._only.holds(path)):
                continue
            if reason := self._exclude.reason(path, is_dir=path.is_dir()):
                yield FoundFile(path, 0, 0, reason)
            elif path.is_dir():
                yield from self._folder(path, ignores_above(path))
            elif (name := os.path.abspath(path)) not in names and not self._known(status):
                names.add(name)
                yield self._file(path, status)
        while self._links:
            yield from self._follow(*self._links.pop(0))

    def _folder(self, folder: Path, ignores: list[Ignore]) -> Iterator[FoundFile]:
        """Everything below `folder`, depth first. The stack is our own: folders nest deeper than Python recurses."""
        stack = [self._listed(folder, ignores)]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step, FoundFile):
                yield step
            else:
                stack.append(self._listed(*step))

    def _listed(self, folder: Path, ignores: list[Ignore]) -> Iterator[FoundFile | tuple[Path, list[Ignore]]]:
        """Files of one folder, and the folders in it that are to be entered."""
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            yield FoundFile(folder, 0, 0, f"cannot be listed: {error.strerror or error}", unreadable=True)
            return
        if self._known(status):
            return
        self._mark(status)
        ignores = ignores + ignore_in(folder)
        names = self._only.entries(folder) if self._only else None
        for entry in entries if names is None else [entry for entry in entries if entry.name in names]:
            if not entry.name.startswith("."):
                yield from self._entry(folder / entry.name, entry, ignores)

    def _entry(
        self, path: Path, entry: os.DirEntry[str], ignores: list[Ignore]
    ) -> Iterator[FoundFile | tuple[Path, list[Ignore]]]:
        if not _utf8(entry.name):
            yield FoundFile(path, 0, 0, "its name is not UTF-8")
            return
        try:
            is_dir, status = entry.is_dir(), entry.stat()
        except OSError as error:
            yield FoundFile(path, 0, 0, f"cannot be read: {error.strerror or error}", unreadable=True)
            return
        if ignored(path, ignores, is_dir=is_dir):
            return
        if reason := self._exclude.reason(path, is_dir=is_dir):
            yield FoundFile(path, 0, 0, reason)
            return
        if entry.is_symlink():
            self._links.append((path, ignores))
        elif is_dir:
            yield path, ignores
        elif entry.is_file():
            yield self._file(path, status)

    def _follow(self, link: Path, ignores: list[Ignore]) -> Iterator[FoundFile]:
        try:
            status = link.stat()
        except OSError:
            return
        if self._known(status):
            return
        if link.is_dir():
            yield from self._folder(link, ignores)
        elif link.is_file():
            yield self._file(link, status)

    def _file(self, path: Path, status: os.stat_result) -> FoundFile:
        self._mark(status)
        return _found(path, status, self._max_bytes, self._streams)

    def _known(self, status: os.stat_result) -> bool:
        return (status.st_dev, status.st_ino) in self._seen

    def _mark(self, status: os.stat_result) -> None:
        self._seen.add((status.st_dev, status.st_ino))


def _found(path: Path, status: os.stat_result, max_bytes: int, streams: frozenset[str]) -> FoundFile:
    suffix = path.suffix.lower()
    skip = ""
    if not stat.S_ISREG(status.st_mode):
        skip = "not a regular file"
    elif not _utf8(path.name):
        skip = "its name is not UTF-8"
    elif what := _not_a_document(path.name.lower(), suffix):
        skip = f"not a document: {what}"
    elif status.st_size > max_bytes and suffix not in streams:
        skip = f"{status.st_size / 1e6:,.0f} MB, the limit is {max_bytes / 1e6:,.0f} MB (max_file_mb)"
    return FoundFile(path, status.st_size, status.st_mtime_ns, skip)


def _not_a_document(name: str, suffix: str) -> str:
    """What a file of this name is, in lower case, that nobody searches; empty for what may be searched."""
    if name in LOCK_FILES or name.endswith(("-lock.json", "-lock.yaml", ".lock.json")):
        return "a lock file"
    if name.endswith((".min.js", ".min.mjs", ".min.cjs", ".bundle.js")):
        return "minified code"
    return NOT_DOCUMENTS.get(suffix, "")


def _utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
