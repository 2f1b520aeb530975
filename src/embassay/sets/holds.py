"""Whether any process has a generation open: readers share a lock, and whoever removes it asks for that lock alone.

The lock is the operating system's, so that a killed reader gives it back. Where a home cannot be written no lock can be
had; a reader whose generation is removed then begins anew on the live one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.files import PRIVATE_FILE

if TYPE_CHECKING:
    from embassay.search.index import Index
    from embassay.sets.content import SetContent


class Hold:
    """One reader's part in the lock of a generation."""

    def __init__(self, file: Path) -> None:
        """Waits for whoever removes the generation at this moment."""
        self._descriptor: int | None = None
        with suppress(OSError):
            self._descriptor = _opened(file)
            _lock(self._descriptor, alone=False)

    def release(self) -> None:
        """Let go of it. Doing so twice does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@dataclass(slots=True)
class Lease:
    """An open index, how many are using it, and whether its content is still the one to search."""

    content: SetContent
    index: Index
    hold: Hold
    users: int = 0
    retired: bool = False

    def close(self) -> None:
        """Close the index, so that the generation may be removed."""
        self.index.close()
        self.hold.release()


@contextmanager
def held_alone(file: Path) -> Iterator[bool]:
    """Keep readers out for the time of the block; False where one has the generation open, or none can be kept out."""
    try:
        descriptor = _opened(file)
    except OSError:
        yield False
        return
    try:
        try:
            _lock(descriptor, alone=True)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _opened(file: Path) -> int:
    return os.open(
        file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0), PRIVATE_FILE
    )


def _lock(descriptor: int, *, alone: bool) -> None:
    """Raises OSError where it is to be had `alone`, and somebody else has it."""
    try:
        import fcntl
    except ImportError:  # Windows, which removes no file that somebody has open
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
