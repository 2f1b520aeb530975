"""Patterns of files that are to be left out, read as lines of a .gitignore are.

``CHANGELOG.md`` is every file and folder of that name, ``docs/old`` and ``/notes.md`` are those below the root alone,
``*.log`` stands for names, ``docs/**/draft-*`` for paths, and ``!docs/keep.log`` takes back what a pattern before it
said. What a pattern names is left out even where it is given by name, because a shell that expands ``docs/*`` names
every file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from embassay.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from embassay.config.values import Config


@dataclass(frozen=True, slots=True)
class _Rules:
    """Patterns that are relative to one folder."""

    root: str
    patterns: tuple[str, ...]
    spec: GitIgnoreSpec

    def says(self, path: str, *, is_dir: bool) -> str | None:
        """The pattern that leaves `path` out, an empty string where one keeps it, None where none speaks of it."""
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        found = self.spec.check_file(f"{relative}/" if is_dir else relative)
        if found.include is None or found.index is None:
            return None
        return self.patterns[found.index] if found.include else ""


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Which files are left out. Of several groups of patterns the later one decides."""

    rules: tuple[_Rules, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rules)

    def __add__(self, other: Exclusions) -> Exclusions:
        return Exclusions(self.rules + other.rules)

    def reason(self, path: Path, *, is_dir: bool = False) -> str:
        """Why `path` is left out; empty where it is not."""
        if not self.rules:
            return ""
        absolute = os.path.abspath(path)
        decisions = (rules.says(absolute, is_dir=is_dir) for rules in reversed(self.rules))
        pattern = next((said for said in decisions if said is not None), "")
        return f"excluded by {pattern}" if pattern else ""


NOTHING = Exclusions()
"""Every file is taken."""


def exclusions(patterns: Iterable[str], root: Path) -> Exclusions:
    """What `patterns`, as `normal` writes them, leave out below and beside `root`. Raises UsageError."""
    lines = tuple(normal(pattern, root) for pattern in patterns)
    if not lines:
        return NOTHING
    return Exclusions((_Rules(os.path.abspath(root), lines, GitIgnoreSpec.from_lines(lines)),))


def configured(config: Config) -> Exclusions:
    """What the configuration leaves out, relative to the folder of its file. Raises ConfigError."""
    root = config.file.parent if config.file else Path()
    try:
        return exclusions(config.exclude, root)
    except UsageError as error:
        raise ConfigError(f"{config.file or 'the configuration'}: exclude: {error.message}") from None


def normal(pattern: str, root: Path) -> str:
    """A pattern as it is kept: without ``./``, and a path below `root` as seen from there.

    Raises UsageError for one that names nothing.
    """
    kept = "!" if pattern.startswith("!") else ""
    body = pattern.removeprefix("!").replace(os.sep, "/")
    while body.startswith("./"):
        body = body[2:]
    above = os.path.abspath(root)
    if Path(body).is_absolute() and Path(body).is_relative_to(above):
        body = f"/{Path(body).relative_to(above).as_posix()}"
    if ".." in body.split("/"):
        raise UsageError(f"{pattern!r} cannot be excluded: patterns are relative to {root}, and none leads out of it.")
    line = kept + (f"\\{body}" if body.startswith("#") else body)
    try:
        names_something = any(one.include is not None for one in GitIgnoreSpec.from_lines([line]).patterns)
    except ValueError:
        names_something = False
    if not names_something or "\n" in line:
        raise UsageError(f"{pattern!r} names no file that could be excluded.")
    return line
