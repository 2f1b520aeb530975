"""The files and folders that a set was indexed from: it remembers them, so that a run without any brings it up to date.

A path that walks of the others come to is not remembered besides. One that was given again after it had gone is
forgotten, as what was indexed of it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from embassay import remedy
from embassay.errors import UsageError
from embassay.events import Warned
from embassay.ingest.reachable import Reachable
from embassay.sets.folder import HomeFolder
from embassay.sets.opened import OpenSets


@dataclass(frozen=True, slots=True)
class SetPaths:
    """What a set was indexed from, as it lies on the disk now."""

    found: tuple[Path, ...]
    """Files and folders that are there, and files that are gone from a folder which is there."""
    lost: tuple[Path, ...] = ()
    """Folders that are not there, or files of such, of which the set holds something. A disk may have been taken off:
    what was indexed of them stays until they are named again."""


def remember(sets: OpenSets, name: str, files: Iterable[Path]) -> None:
    """Note that a set was indexed from `files`. Raises SetNotFound."""
    files = [*files]
    sets.state.roster.keep_paths(name, lambda known: _joined(sets.folder, known, files))


def remembered(sets: OpenSets, name: str) -> SetPaths:
    """What a set was indexed from. Raises HomeNotFound, SetNotFound, and UsageError where that is nothing."""
    names = sets.state.roster.paths(name)
    if not names:
        raise UsageError(
            f"set {name!r} remembers no files or folders that it was indexed from.",
            remedy=remedy.command("index", "FOLDER", set=name, say="Name them once"),
        )
    return on_disk(sets, name, names)


def on_disk(sets: OpenSets, name: str, names: Sequence[str]) -> SetPaths:
    """How paths that a set was indexed from, by their names in it, lie on the disk now. Raises SetNotFound."""
    paths = {one: sets.folder.file_on_disk(one) for one in names}
    absent = {one for one, path in paths.items() if not path.exists()}
    if not absent:
        return SetPaths(tuple(paths.values()))
    known = {row.path for row in sets.state.sources(sets.live(name))}
    files = {one for one in absent & known if paths[one].parent.is_dir()}
    lost = {one for one in absent - files if any(row == one or row.startswith(f"{one}/") for row in known)}
    found = tuple(path for one, path in paths.items() if one in files or one not in absent)
    return SetPaths(found, tuple(paths[one] for one in names if one in lost))


def tell_of_lost(sets: OpenSets, paths: SetPaths) -> None:
    """Warn of what is not there."""
    for path in paths.lost:
        words = "is not there; what was indexed of it stays until you index that path by name"
        sets.events.tell(Warned(f"{path} {words}."))


def _joined(home: HomeFolder, known: Sequence[str], files: Iterable[Path]) -> Sequence[str]:
    """The names of `known` and of those of `files` that are there, without those that others bring along."""
    names = dict.fromkeys(known)
    folders = {path for name in names if (path := home.file_of(name)).is_dir()}
    for file in files:
        name = home.name_of(file).encode("utf-8", "replace").decode()
        path = home.file_of(name)
        if not file.exists():
            names.pop(name, None)
        elif name not in names and not _brought_along(path, folders):
            if file.is_dir():
                names = {one: None for one in names if not _brought_along(home.file_of(one), {path})}
                folders.add(path)
            names[name] = None
    return [*names]


def _brought_along(path: Path, folders: Set[Path]) -> bool:
    """Whether a walk of one of `folders` comes to `path`."""
    above = [folder for folder in path.parents if folder in folders]
    return bool(above) and path in Reachable(above)
