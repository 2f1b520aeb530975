"""What goes wrong with files that are mapped into memory: they can be made again, so nothing is lost with them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay.errors import HomeNotWritable, IndexDamaged
from embassay.files import disk_full


class HotIndexDamaged(IndexDamaged):
    """A file is missing, cut, changed, or none of ours. Whoever opened it makes it anew from the store."""

    def __init__(self, file: Path, found: str) -> None:
        super().__init__(
            f"{file} is damaged: {found}.",
            remedy="It is a copy of what the store holds, and is made anew: repeat the call.",
        )
        self.file = file


class BuildGivenUp(Exception):
    """A hot index is not made to its end: whoever wanted it has closed the store. The next search begins anew."""


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raises HomeNotWritable where the disk refuses what is written into `file`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise disk_full() from error
        raise HomeNotWritable(f"{file} cannot be written: {error.strerror or error}.") from error
