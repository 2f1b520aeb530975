"""What all writers of tables share: errors of the disk as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay.errors import HomeNotWritable


@contextmanager
def translated(place: Path) -> Iterator[None]:
    """Raises HomeNotWritable for what the disk says."""
    try:
        yield
    except OSError as error:
        raise HomeNotWritable(
            f"{place} cannot be written: {error.strerror or error}.", remedy="Free some space, or name another folder."
        ) from error
