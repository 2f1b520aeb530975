"""A folder that is written whole or not at all: under another name beside its place, and renamed at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay import remedy
from embassay.columns.writing import translated
from embassay.errors import UsageError
from embassay.files import PRIVATE_FILE, private_folder, refuse_links
from embassay.sets.exchange.manifest import read_manifest

LOCK = ".lock"


@contextmanager
def written_whole(folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """An empty folder to write into, which stands at `folder` once the block ends without an error.

    What a killed process left of an earlier one is cleared away. An export that is there already is replaced with
    `overwrite`; anything else that is there never is. Only the user may read what is written. Raises UsageError, and
    HomeNotWritable.
    """
    from filelock import FileLock, Timeout

    folder = Path(os.path.abspath(folder))
    new, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    with translated(folder):
        refuse_links((folder, new, old))
        if old.exists() and not folder.exists():  # a process was killed between its two renames
            old.rename(folder)
        _check(folder, overwrite=overwrite)
        private_folder(new)
        lock = FileLock(new / LOCK, mode=PRIVATE_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"another process is writing {folder}.") from None
        _empty(new)
    done = False
    try:
        yield new
        with translated(folder):
            _check(folder, overwrite=overwrite)
            (new / LOCK).unlink(missing_ok=True)
            _sync(new)
            _take_place(new, folder, old)
            _sync(folder.parent)
            done = True
    finally:
        lock.release()
        if not done:
            shutil.rmtree(new, ignore_errors=True)


def _check(folder: Path, *, overwrite: bool) -> None:
    """Raises UsageError for a place that may not be taken."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or read_manifest(folder) is None:
        raise UsageError(f"{folder} is there already, and is no export.", remedy="Name another folder.")
    if not overwrite:
        raise UsageError(
            f"{folder} holds an export already.", remedy=remedy.option("overwrite", say="Name another folder, or {}")
        )


def _take_place(new: Path, folder: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists() and any(folder.iterdir()):
        folder.rename(old)
    elif folder.exists():
        folder.rmdir()
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _empty(folder: Path) -> None:
    """Remove what a killed process left, but for the lock, which this process holds now."""
    for entry in [*folder.iterdir()]:
        if entry.name != LOCK:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _sync(folder: Path) -> None:
    """Have the names in a folder reach the disk, where the system can be asked for it."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
