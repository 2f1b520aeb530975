"""The contract of a reader: one file in `readers/`, its name is the reader's name.

    SUFFIXES = {".md", ".markdown"}          # lower case, with the dot

    def read(source: Source) -> Iterator[Document]:
        text = source.text()                 # decoded, or source.data for bytes, or source.file for a stream
        yield Document(id=source.id, path=source.id, text=text, kind="markdown")

Raise ReadError with the reason when the file cannot be read: it is quarantined and the run goes on. Any
other exception is treated the same. A reader that can go on behind a bad record yields the ReadError instead
of raising it: the rest of the file is kept, and the file is listed with that reason. A reader of many records
yields one Document a record, with an id of ``f"{source.id}#{record}"`` and `source_lines`, sets
``STREAMS = True`` and opens `source.file` itself; the size limit then does not apply. Other packages join
through the entry-point group ``embassay.readers``, whose value is such a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from embassay.errors import ReadError
from embassay.types import Document


@dataclass(frozen=True)
class Source:
    """A file about to be read."""

    file: Path
    id: str
    """Its name in the set: relative to the folder that holds .embassay/ where possible, with ``/``."""

    @cached_property
    def data(self) -> bytes:
        return self.file.read_bytes()

    def text(self) -> str:
        """Decoded text with ``\\n`` line ends. Raises ReadError for binary data."""
        from embassay.ingest.decode import decode

        return decode(self.data)


class Reader(Protocol):
    """What a module in `readers/` offers."""

    SUFFIXES: frozenset[str]

    def read(self, source: Source) -> Iterator[Document | ReadError]: ...


__all__ = ["Document", "ReadError", "Reader", "Source"]
