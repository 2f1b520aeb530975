"""Paths as people write them; files written whole or not at all, never through a link, and private to the user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from embassay import remedy
from embassay.errors import HomeNotWritable, UsageError

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
OTHERS = 0o077
"""The bits of a mode that let anybody else in."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def expanded(path: str | Path) -> Path:
    """`path` with a ``~`` at its beginning replaced by the home folder. Raises UsageError for what is no path."""
    text = str(path)
    if "\0" in text:
        raise UsageError(f"{text!r} is no path: it holds a NUL character.")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # nobody is called so, or nobody has a home
        raise UsageError(f"{text!r} is no path: no home folder is known for it.", remedy="Write it in full.") from None


def write_whole(file: Path, text: str, *, private: bool = False) -> None:
    """Replace `file` by one that holds `text`, in UTF-8; a link of that name is replaced, not followed.

    A kill or a full disk leaves either the old file or the new one. What is no regular file, such as ``/dev/null`` or a
    pipe, is written to and stays what it is. `private`: nobody but the user may read it. Raises HomeNotWritable.
    """
    if _is_device(file):
        _write_into(file, text)
        return
    new = file.with_name(f".{file.name}.new")
    made = False
    try:
        new.unlink(missing_ok=True)  # what a killed process has left, or somebody's link
        with os.fdopen(os.open(new, _NEW, PRIVATE_FILE if private else 0o666), "wb") as stream:
            made = True
            stream.write(text.encode("utf-8", "replace"))
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
        made = False
    except OSError as error:
        raise HomeNotWritable(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        if made:
            with suppress(OSError):
                new.unlink()


def _is_device(file: Path) -> bool:
    """Whether `file` is there and neither a regular file, a folder nor a link."""
    try:
        mode = file.lstat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def _write_into(file: Path, text: str) -> None:
    try:
        with file.open("wb") as stream:
            stream.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise HomeNotWritable(f"{file} cannot be written: {error.strerror or error}.") from error


def write_new(file: Path, text: str) -> bool:
    """Make a private `file` that holds `text`, unless something of that name is there; whether it was made.

    No link is followed. Raises OSError.
    """
    try:
        with os.fdopen(os.open(file, _NEW, PRIVATE_FILE), "wb") as stream:
            stream.write(text.encode())
    except FileExistsError:
        return False
    return True


def private_folder(folder: Path) -> None:
    """Make `folder`, which only the user may enter, and those above it, where they are missing. Raises OSError."""
    with suppress(FileExistsError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER)
    if not folder.is_dir():
        raise NotADirectoryError(20, "it is no folder", str(folder))


def refuse_links(paths: Iterable[Path]) -> None:
    """Raise HomeNotWritable for a link: what is written to it would be written elsewhere."""
    for path in paths:
        if path.is_symlink():
            raise HomeNotWritable(f"{path} is a link, and would have files written elsewhere.", remedy="Remove it.")


def make_private(paths: Iterable[Path]) -> None:
    """Take the rights of everybody else from files and folders that are this user's own; no link is followed.

    What is not there, belongs to somebody else, or lies on a disk that cannot be written, is left as it is.
    """
    for path in paths:
        with suppress(OSError):
            mode = path.lstat().st_mode
            if mode & OTHERS and (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def disk_full() -> HomeNotWritable:
    """The error of a disk without room."""
    return HomeNotWritable(
        "the disk is full; what was stored before is intact.", remedy="Free some space and run it again."
    )


def not_writable(file: Path, why: str) -> HomeNotWritable:
    """The error for a file of a home that cannot be written, by what its disk says; else by what was said, `why`."""
    with suppress(OSError, AttributeError):  # AttributeError: Windows, which does not say
        disk = os.statvfs(file.parent)
        if disk.f_flag & os.ST_RDONLY:
            return HomeNotWritable(
                f"{file.parent} cannot be written: its disk is mounted read-only.",
                remedy=remedy.option(
                    "home", "DIR", say="Mount it for writing, or copy the home and name the copy with"
                ),
            )
        if disk.f_bavail == 0:
            return disk_full()
    return HomeNotWritable(f"{file} cannot be written ({why}).", remedy="Check its owner and mode.")


def check_writable(file: Path) -> None:
    """Raise HomeNotWritable if `file` could not be written, so that this is known before hours of work."""
    folder = file.absolute().parent
    if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if file.is_dir() else f"{folder} is no folder that can be written to"
        raise HomeNotWritable(f"{file} cannot be written: {why}.", remedy="Name another file.")
