"""Which files a .gitignore names, and which such files count for a folder, as git has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from embassay.config.values import HOME_FOLDER

GITIGNORE = ".gitignore"
MARKS = (".git", HOME_FOLDER)
"""What lies at the root of a project: the first one that is found anywhere above decides."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """The rules of one .gitignore file."""

    folder: Path
    spec: GitIgnoreSpec

    def decides(self, path: Path, *, is_dir: bool) -> bool | None:
        """True to leave `path` out, False to keep it, None if no rule of this file speaks of it."""
        relative = os.path.relpath(os.path.abspath(path), self.folder).replace(os.sep, "/")
        return self.spec.check_file(relative + "/" if is_dir else relative).include


def ignored(path: Path, ignores: Sequence[Ignore], *, is_dir: bool) -> bool:
    """Whether `path` is left out. As in git, the innermost .gitignore that speaks of it decides."""
    decisions = (ignore.decides(path, is_dir=is_dir) for ignore in reversed(ignores))
    return next((decision for decision in decisions if decision is not None), False)


def ignores_above(folder: Path) -> list[Ignore]:
    """The .gitignore files between the root of the project and `folder`, outermost first.

    There are none where they would leave `folder` itself out, because it was given by name.
    """
    start = Path(os.path.abspath(folder))
    root = _project_of(start)
    above = [parent for parent in start.parents if parent.is_relative_to(root)]
    ignores = [ignore for parent in reversed(above) for ignore in ignore_in(parent)]
    named = any(ignored(path, ignores, is_dir=True) for path in (start, *above[:-1]))
    return [] if named else ignores


def ignore_in(folder: Path) -> list[Ignore]:
    """The rules of the .gitignore file in `folder`; none where there is no such file, or it cannot be read."""
    if not (folder / GITIGNORE).is_file():
        return []
    try:
        lines = (folder / GITIGNORE).read_text("utf-8", "replace").splitlines()
        return [Ignore(Path(os.path.abspath(folder)), GitIgnoreSpec.from_lines(lines))]
    except (OSError, ValueError):
        return []


def _project_of(folder: Path) -> Path:
    """The folder up to which a .gitignore counts: that of the repository, else the one that holds the nearest home,
    else the working folder if `folder` lies in it."""
    inside = (folder, *folder.parents)
    for mark in MARKS:
        found = next((parent for parent in inside if (parent / mark).exists()), None)
        if found:
            return found
    here = Path.cwd()
    return here if folder.is_relative_to(here) else folder
