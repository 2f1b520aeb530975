"""Files that a user took out of a set while they stay on the disk: the row of each says so, and keeps it out.

An index run over a folder above them leaves them out, and new files of a removed folder with them. Naming the file, or
the removed folder or what lies in it, takes them in again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from embassay.sets.state import SourceRow

_REASON = "deleted from the set: "
_ALL_BELOW = "/**"
_WILD = "*?"


def reason_of(path: str, glob: str | None) -> str:
    """The reason in the row of the file `path`, which went by its name or by `glob`."""
    return _REASON + (glob if glob and _folder(glob) else path)


class Removals:
    """What of a set was removed, as the rows of its files tell."""

    def __init__(self, rows: Iterable[SourceRow]) -> None:
        said = {
            row.path: row.reason.removeprefix(_REASON)
            for row in rows
            if row.state == "skipped" and row.reason.startswith(_REASON)
        }
        self._files = set(said)
        self._folders = {folder for scope in said.values() if (folder := _folder(scope))}

    def reason(self, name: str, asked: Iterable[str]) -> str:
        """Why the file `name` stays out of a run over the paths `asked`; empty where it does not.

        All are names as the set has them.
        """
        if not self._files:
            return ""
        file, over = PurePosixPath(name), [PurePosixPath(one) for one in asked]
        around = [folder for folder in self._folders if file.is_relative_to(folder)]
        for folder in sorted(around):
            if not any(one.is_relative_to(folder) and file.is_relative_to(one) for one in over):
                return f"{_REASON}{folder}{_ALL_BELOW}"
        if around:
            return ""
        return f"{_REASON}{name}" if name in self._files and file not in over else ""

    def names(self, name: str) -> bool:
        """Whether the file `name` was removed: where a run takes it in again, it is read whatever its row says."""
        return name in self._files


def _folder(scope: str) -> str:
    """The folder of which everything was removed; empty for a file, or what else a glob means."""
    folder = scope.removesuffix(_ALL_BELOW)
    return folder if folder != scope and not any(sign in folder for sign in _WILD) else ""
