"""Files that have to stay what they were: a digest says nothing of bytes that are written afterwards.

Weights are mapped, so that whoever writes into a file changes the model that was read from it. A file that was put in
the place of another is a different matter: what is mapped stays the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embassay.errors import DigestMismatch

_State = tuple[tuple[int, int], tuple[int, int]]


class Unwritten:
    """What some files were like when they were first looked at."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._then = {file: _state(file) for file in files}

    def check_mapped(self, files: Sequence[Path]) -> None:
        """Raises DigestMismatch where one of `files` is the same file and has other bytes now."""
        for file in files:
            now, then = _state(file), self._then[file]
            if now and then and now[0] == then[0] and now[1] != then[1]:
                raise changed(file)

    def check_paths(self) -> None:
        """Raises DigestMismatch where one has other bytes now, or another file is in its place."""
        for file, then in self._then.items():
            if _state(file) != then:
                raise changed(file)


def _state(file: Path) -> _State | None:
    """Which file it is, and when it was written and how long it is; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino), (found.st_mtime_ns, found.st_size)


def changed(file: Path) -> DigestMismatch:
    """The error for a file that is not what it was."""
    return DigestMismatch(f"{file} was changed while it was in use.", remedy="Open the model again.")
