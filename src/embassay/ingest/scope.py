"""Bounds a walk to some files and folders: it comes to them as an unbounded walk would, and to nothing else."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

NOTHING_OF_IT: frozenset[str] = frozenset()


class Scope:
    """Some paths, which need not exist, and all that lies below them."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = frozenset(Path(os.path.abspath(path)) for path in paths)
        self._inside = frozenset(map(str, self.paths))
        self._ways: dict[str, set[str]] = defaultdict(set)
        """Of each folder above them, the names of its entries that lead to one."""
        for path in self._inside:
            self._note_way_to(path)

    def _note_way_to(self, path: str) -> None:
        folder, name = os.path.split(path)
        while name and name not in self._ways[folder]:
            self._ways[folder].add(name)
            folder, name = os.path.split(folder)

    def holds(self, path: Path) -> bool:
        """Whether `path` is one of the paths, or lies below one."""
        at = os.path.abspath(path)
        while at not in self._inside:
            above, _ = os.path.split(at)
            if above == at:
                return False
            at = above
        return True

    def entries(self, folder: Path) -> frozenset[str] | set[str] | None:
        """Names of the entries of `folder` that a walk looks at; None for all of them."""
        if self.holds(folder):
            return None
        return self._ways.get(os.path.abspath(folder), NOTHING_OF_IT)
