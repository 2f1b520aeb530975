"""The contract of a reader: one file in `readers/`, its name is the reader's name.

    SUFFIXES = {".md", ".markdown"}          # lower case, with the dot

    def read(source: SourceFile) -> Iterator[Document]:
        text = source.text()                 # decoded; `source.data` has the bytes, `source.open()` is a stream
        yield Document(id=source.id, path=source.id, text=text, kind="markdown")

A reader raises ReadError with the reason when it cannot read the file; the file is quarantined and the run goes on. Any
other exception is treated the same. A reader that can go on behind a bad record yields the ReadError instead of raising
it: then the rest of the file is kept, and the file is listed with that reason.

Where nothing is wrong and a part of the file still gives no text (pages that are images, an attachment that is no text,
a value that was cut), the reader yields ``LeftOut("3 of 9 pages are images")`` beside its documents: the file counts as
read in part, it is listed with that reason by every later run as well, and the run does not fail for it. A file that is
none of the reader's, or for which a library is missing, is skipped with its reason by raising NotText.

What is lost without a word is looked for behind every reader, see `embassay.ingest.guard`: the characters of its
documents are held against those that the file holds. A reader whose files mean something else by far than what their
bytes spell out offers the count itself, ``def holds(source: SourceFile) -> int | None``; None where nobody can tell.

A reader of many records yields one Document for each record, with an id of ``f"{source.id}#{record}"`` and with
`source_lines`. If it does not hold the whole file in memory, it sets ``STREAMS = True`` and reads `source.open()`;
the size limit does not apply to its files.

A reader of records may offer them before they become documents, for whoever names the fields himself:
``def rows(source: SourceFile) -> Iterator[RawRecord | ReadError]``. It holds no more in memory than it has to, and
asks for nothing of `source` but `open` where that is longer than `WHOLE`.

A reader runs in a process of its own, which is ended where a file takes more time, memory or text than is allowed (see
`embassay.ingest.limits`); that costs a quarter of a millisecond a file. One whose time and memory stay within a small
multiple of the file's size, whatever the file holds, may set ``BOUNDED = True`` and is run in the process of the run.

Other packages join through the entry-point group ``embassay.readers``,
whose value is such a module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from embassay.errors import NotText, ReadError
from embassay.types import Document


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a file that gives no text, though nothing failed."""

    reason: str
    """For a person, with what and where: ``3 of 9 pages are images: 2, 5, 6``."""
    chars: int = 0
    """How many characters it holds, as far as that is known."""


@dataclass(frozen=True)
class SourceFile:
    """A file about to be read."""

    file: Path
    id: str
    """Its name in the set: relative to the folder that holds ``.embassay/`` where possible, with ``/``."""
    content: bytes | None = None
    """What it holds, where it lies inside of another file; `file` then has its name, and is not there."""

    @cached_property
    def data(self) -> bytes:
        """The whole file. Raises OSError."""
        return self.file.read_bytes() if self.content is None else self.content

    @cached_property
    def size(self) -> int:
        """Its bytes, without reading it. Raises OSError."""
        return self.file.stat().st_size if self.content is None else len(self.content)

    def open(self) -> BinaryIO:
        """The file as a stream of bytes, which the caller closes. Raises OSError."""
        return self.file.open("rb") if self.content is None else BytesIO(self.content)

    def text(self) -> str:
        """The whole file, decoded, with ``\\n`` at the end of lines. Raises NotText for binary data."""
        from embassay.ingest.decode import decode

        return decode(self.data)


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as its file has it: named fields."""

    line: int
    """Where it begins in the file, counted from 1; its number where the format has no lines."""
    fields: Mapping[str, object]


WHOLE = 32_000_000
"""Bytes of a file that a reader may hold in memory as a whole to read its rows."""


class RowReader(Protocol):
    """What the module of a reader offers besides where its files hold records."""

    def rows(self, source: SourceFile) -> Iterator[RawRecord | ReadError]:
        """The records of one file, in order. One that cannot be read is yielded as a ReadError with its line, and those
        behind it are kept. Raises ReadError for a file that cannot be read, and NotText for one without text."""


class Reader(Protocol):
    """What a module in `readers/` offers."""

    SUFFIXES: frozenset[str]

    def read(self, source: SourceFile) -> Iterator[Read]:
        """The documents of one file, in order: one for the whole file, or one for each of its records.

        Raises ReadError for a file that cannot be read, and NotText for one that is to be skipped. A record that cannot
        be read is yielded as a ReadError, and the records behind it are kept. What gives no text, though nothing is
        wrong with it, is yielded as LeftOut.
        """


class Recogniser(Protocol):
    """What a module offers that reads letters in pictures; it joins through the entry-point group ``embassay.ocr``."""

    def recognise(self, source: SourceFile, pages: Sequence[int]) -> Mapping[int, str]:
        """The text of those of these pages of a PDF, counted from 1, on which there is any.

        The pages are pictures, or written in fonts that do not say which letters they show. It runs within the limits
        of the reader; what it raises is told as the reason why the pages were left out.
        """


Read = Document | ReadError | LeftOut
"""What a reader yields."""

__all__ = ["Document", "LeftOut", "NotText", "RawRecord", "Read", "ReadError", "Reader", "Recogniser", "SourceFile"]
