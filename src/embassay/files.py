"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from embassay.errors import HomeNotWritable


def write_whole(file: Path, text: str) -> None:
    """Replace `file` by one that holds `text`, in UTF-8.

    A kill or a full disk leaves either the old file or the new one. Raises HomeNotWritable.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        with new.open("w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except OSError as error:
        raise HomeNotWritable(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        if new.exists():
            new.unlink()


def check_writable(file: Path) -> None:
    """Raise HomeNotWritable if `file` could not be written, so that this is known before hours of work."""
    folder = file.absolute().parent
    if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if file.is_dir() else f"{folder} is no folder that can be written to"
        raise HomeNotWritable(f"{file} cannot be written: {why}.", remedy="Name another file.")
