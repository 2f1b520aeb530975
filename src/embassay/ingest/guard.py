"""Holds what a reader gave against what the file holds, so that no text is lost without a word.

A reader that says itself what it left out, or what it could not read, is believed. For every other one the letters of
its documents are counted, which costs next to nothing, and where they are few for the size of the file, those of the
file: see `embassay.ingest.held`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, LeftOut, Read, Reader, SourceFile
from embassay.ingest.held import GZIP, MAX_BYTES, ZIP, held, is_blank, letters
from embassay.types import texts_in

ENOUGH = 0.5
"""Letters for each byte of a file that is not packed, from which on nobody looks further."""
FAR_FEWER = ((0.5, 200), (0.3, 30))
"""The share of its letters below which a file has lost something, where more than so many are missing. What is left
out with good reason, such as the frame of a page, weighs more in short files. Of 1,097 pages of software manuals in
HTML these two bounds name four, of 2,500 in roff and 299 in Markdown none."""
NAMED = 3
"""Records without text that are named."""
REPLACED = "\ufffd"
WRITTEN_OUT = re.compile(rb"\xef\xbf\xbd|\\ufffd|&#xfffd;|&#65533;", re.IGNORECASE)
"""The replacement character where it stands in a file: as UTF-8, in JSON and in mark-up."""
NO_TEXT = "no text was found in it"


def guarded(source: SourceFile, reader: Reader) -> Iterator[Read]:
    """What `reader` gives of the file, and behind it what else the file holds."""
    seen = _Seen()
    for read in reader.read(source):
        seen.add(read)
        yield read
    if not seen.told:
        yield from _lost(source, reader, seen)
    if seen.replaced:
        yield from _replaced(source, seen.replaced)


class _Seen:
    """What came of one file."""

    def __init__(self) -> None:
        self.told = False
        """The reader said itself that something is missing."""
        self.letters = 0
        self.replaced = 0
        """Characters that stand for bytes which could not be decoded."""
        self.documents = 0
        self.blank = 0
        """Documents without text."""
        self.first_blank: list[str] = []

    def add(self, read: Read) -> None:
        """Count what was read."""
        if not isinstance(read, Document):
            self.told = True
            return
        self.documents += 1
        self.letters += letters(read.text) + letters(read.title) + sum(map(letters, texts_in(read.metadata)))
        self.replaced += read.text.count(REPLACED)
        if not read.text or read.text.isspace():
            self.blank += 1
            if len(self.first_blank) < NAMED:
                self.first_blank.append(read.id[-80:])


def _lost(source: SourceFile, reader: Reader, seen: _Seen) -> Iterator[LeftOut]:
    if seen.documents == seen.blank:
        if not _is_blank(source):
            yield LeftOut(NO_TEXT, _holds(source, reader) or 0)
        return
    if seen.blank:
        more = ", ..." if seen.blank > NAMED else ""
        yield LeftOut(f"{seen.blank:,} of its records hold no text: {', '.join(seen.first_blank)}{more}")
    if seen.letters >= ENOUGH * source.size and not _is_packed(source):
        return
    holds = _holds(source, reader) or 0
    missing = holds - seen.letters
    if any(seen.letters < share * holds and missing > few for share, few in FAR_FEWER):
        yield LeftOut(f"of some {holds:,} letters in it, only {seen.letters:,} were read", missing)


def _holds(source: SourceFile, reader: Reader) -> int | None:
    """The letters in the file, as the reader counts them if it does, else as its content shows."""
    if count := getattr(reader, "holds", None):
        return count(source)  # type: ignore[no-any-return]
    return held(source.data) if source.size <= MAX_BYTES else None


def _is_packed(source: SourceFile) -> bool:
    if "data" in vars(source):  # its reader has read it already
        return source.data.startswith((ZIP, GZIP))
    with source.file.open("rb") as stream:
        return stream.read(4).startswith((ZIP, GZIP))


def _is_blank(source: SourceFile) -> bool:
    return source.size <= MAX_BYTES and is_blank(source.data)


def _replaced(source: SourceFile, count: int) -> Iterator[LeftOut]:
    """Characters that decoding put in the place of bytes; those that stand in the file itself are its own."""
    own = 0
    if source.size <= MAX_BYTES:
        own = len(WRITTEN_OUT.findall(source.data))
    if count > own:
        places = f"{count - own:,} place{'' if count - own == 1 else 's'}"
        yield LeftOut(f"bytes that could not be decoded stand as U+FFFD in {places}", count - own)
