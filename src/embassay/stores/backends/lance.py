"""LanceDB, embedded: on disk, several processes, approximate search and BM25.

What can be known of a table without LanceDB stands here, because to import it takes half of the time in which a
search on the command line starts and ends.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.stores.backends._lance_settings import LanceSettings
from embassay.stores.dtypes import DTYPES
from embassay.stores.values import Capabilities, Collection, KeptCollection

if TYPE_CHECKING:
    from embassay.stores.backends._lance_store import LanceStore

__all__ = [
    "CAPABILITIES",
    "LanceSettings",
    "collections",
    "hot_folder",
    "open_store",
    "remove",
    "settings_in",
    "size",
    "vector_files",
    "version",
]

CAPABILITIES = Capabilities(frozenset(DTYPES), similarities=frozenset({"cosine", "dot"}))
MANIFEST = ".manifest"
LAST_VERSION = 2**64 - 1
"""A manifest is named by what is missing from its version to this number, so that the latest one is the first."""


def settings_in(folder: Path) -> LanceSettings:
    """Tables lie in ``vectors`` below a home."""
    return LanceSettings(folder.absolute() / "vectors")


def open_store(settings: LanceSettings, collection: Collection, *, create: bool = False) -> LanceStore:
    """The table of `collection`. Raises StoreError where it is missing, or has other vectors."""
    from embassay.stores.backends._lance_store import LanceStore

    return LanceStore(settings, collection, create=create)


def version(settings: LanceSettings, name: str) -> int | None:
    """The latest version of a table, by the names of its manifests; None where there is none, or none is known."""
    try:
        names = os.listdir(settings.folder / f"{name}.lance" / "_versions")  # noqa: PTH208 - a tenth of the time
    except OSError:
        return None
    stems = [one[: -len(MANIFEST)] for one in names if one.endswith(MANIFEST)]
    numbers = [int(stem) for stem in stems if stem.isdigit()]
    if not numbers:
        return None
    return LAST_VERSION - min(numbers) if min(numbers) > LAST_VERSION // 2 else max(numbers)


def hot_folder(settings: LanceSettings, name: str) -> Path:
    """Beside the table."""
    return settings.folder / f"{name}.hot"


def vector_files(settings: LanceSettings, name: str) -> list[Path]:
    """The data files of the latest version of a table, in the order of their rows: its manifest names them as text."""
    table = settings.folder / f"{name}.lance"
    latest = version(settings, name)
    for file in (f"{LAST_VERSION - latest}.manifest", f"{latest}.manifest") if latest is not None else ():
        with suppress(OSError):
            named = re.findall(rb"[0-9a-f]{50}\.lance", (table / "_versions" / file).read_bytes())
            files = (table / "data" / one.decode() for one in dict.fromkeys(named))
            return [file for file in files if file.is_file()]
    return []


def size(settings: LanceSettings, name: str) -> int:
    """Bytes of a table, without its hot index."""
    return _kept(settings.folder / f"{name}.lance").bytes


def collections(settings: LanceSettings) -> dict[str, KeptCollection]:
    """The tables of a folder."""
    folders = settings.folder.glob("*.lance")
    return {folder.name.removesuffix(".lance"): _kept(folder) for folder in folders if not folder.is_symlink()}


def remove(settings: LanceSettings, name: str) -> None:
    """Remove a table, whole or not, and its hot index."""
    from embassay.stores.backends._lance_errors import translated

    with translated():
        shutil.rmtree(hot_folder(settings, name), ignore_errors=True)
        shutil.rmtree(settings.folder / f"{name}.lance")


def _kept(folder: Path) -> KeptCollection:
    size, written = 0, 0.0
    for place, _, files in os.walk(folder):
        for file in (place, *(os.path.join(place, one) for one in files)):
            with suppress(OSError):  # it is being removed, or compacted
                found = os.lstat(file)
                size += found.st_size if file != place else 0
                written = max(written, found.st_mtime)
    return KeptCollection(size, written)
