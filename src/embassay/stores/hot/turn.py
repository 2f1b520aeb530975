"""Whose turn it is to write a hot index, and whether somebody is in the middle of a write.

A writer holds the lock of a file, and writes into it the version of the store that it began with. A reader that finds
the hot index behind the store asks whether it is that version: then the write has not returned yet, and the rows
before it are the right ones to show. The lock is the operating system's, so that a killed writer gives it back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay.files import PRIVATE_FILE
from embassay.stores.hot.manifest import TURN

LONGEST = 32
"""Bytes of a version as text."""


@contextmanager
def turn(folder: Path, version: int) -> Iterator[bool]:
    """Hold the right to write for the time of the block; False, at once, where somebody else has it or none can be had.

    `version` is the one that the store has before the block.
    """
    try:
        import fcntl

        descriptor = os.open(folder / TURN, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), PRIVATE_FILE)
    except (ImportError, OSError):
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(descriptor, f"{version:<{LONGEST}}".encode(), 0)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def begun_at(folder: Path) -> int | None:
    """The version of the store that whoever writes at this moment began with; None where nobody writes."""
    try:
        import fcntl

        descriptor = os.open(folder / TURN, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except (ImportError, OSError):
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            said = os.pread(descriptor, LONGEST, 0).strip()
            return int(said) if said.isdigit() else None
        return None
    finally:
        os.close(descriptor)
