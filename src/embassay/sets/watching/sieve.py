"""Of what was heard, that which an index run would look at: the rest must not wake one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from embassay.ingest.gitignore import GITIGNORE
from embassay.ingest.reachable import Reachable
from embassay.sets.folder import HomeFolder
from embassay.sets.watching.pending import Due


def sifted(home: HomeFolder, roots: Sequence[Path], due: Due) -> Due:
    """`due` without what no walk of `roots` comes to, such as hidden and ignored files and those of the home.

    Everything is due where a .gitignore changed, and where links or further names of a file are concerned: by which
    name such a file goes, only a walk of everything tells.
    """
    if due.everything:
        return due
    own = os.path.realpath(home.folder) + os.sep
    spelled = _Spelling(roots)
    paths = [path for path in map(spelled, due.paths) if not _real(path).startswith(own)]
    reach = Reachable(roots)
    found = [path for path in paths if path in reach]
    rules = [path for path in paths if path.name == GITIGNORE and path.parent in reach]
    if rules or spelled.any_of_several_names(found):
        return Due(everything=True)
    return Due(frozenset(map(str, found)))


class _Spelling:
    """Names paths as the roots that they lie below are given: some systems tell of them by their real names."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self._roots = {os.path.realpath(root): os.path.abspath(root) for root in roots}

    def __call__(self, path: str) -> Path:
        for real, given in self._roots.items():
            if real != given and not _below(path, given) and _below(path, real):
                return Path(given + path[len(real) :])
        return Path(path)

    def any_of_several_names(self, paths: Iterable[Path]) -> bool:
        """Whether one of the paths is a link, lies behind one, or is a file that has another name besides."""
        plain: dict[Path, bool] = {}
        for path in paths:
            if path.parent not in plain:
                plain[path.parent] = self._is_plain(path.parent)
            if not plain[path.parent] or _has_more_names(path):
                return True
        return False

    def _is_plain(self, folder: Path) -> bool:
        """Whether no link leads to a folder from the root that it lies below."""
        at, real = str(folder), os.path.realpath(folder)
        roots = [(one, given) for one, given in self._roots.items() if _below(at, given)]
        if not roots:  # the folder that holds a file which was given by name
            return True
        return any(real == one + at[len(given) :] for one, given in roots)


def _has_more_names(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:  # it is gone
        return False
    return stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _real(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)
