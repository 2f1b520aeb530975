"""Says of a path whether a walk would come to it: it is neither hidden nor ignored below the path that was given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from embassay.ingest.gitignore import Ignore, ignore_in, ignored, ignores_above


class Reachable:
    """What walks of some files and folders come to, as their .gitignore files are now. Links are not looked at.

    What a folder's .gitignore says is read once and kept, so that an instance serves for a moment.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._given = frozenset(os.path.abspath(path) for path in paths)
        self._rules: dict[str, Sequence[Ignore] | None] = {}
        """Of each folder, what counts in it; None where no walk enters it."""

    def __contains__(self, path: Path) -> bool:
        at = os.path.abspath(path)
        if at in self._given:
            return True
        above, name = os.path.split(at)
        rules = self._inside(above)
        return rules is not None and not _passed_over(Path(at), name, rules, is_dir=os.path.isdir(at))  # noqa: PTH112

    def _inside(self, folder: str) -> Sequence[Ignore] | None:
        if folder not in self._rules:
            self._rules[folder] = self._found(folder)
        return self._rules[folder]

    def _found(self, folder: str) -> Sequence[Ignore] | None:
        path, (above, name) = Path(folder), os.path.split(folder)
        if folder in self._given:
            return [*ignores_above(path), *ignore_in(path)]
        rules = self._inside(above) if name else None
        if rules is None or _passed_over(path, name, rules, is_dir=True):
            return None
        return [*rules, *ignore_in(path)]


def _passed_over(path: Path, name: str, rules: Sequence[Ignore], *, is_dir: bool) -> bool:
    return name.startswith(".") or ignored(path, rules, is_dir=is_dir)
