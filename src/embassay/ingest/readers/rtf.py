"""Rich Text Format (RTF): paragraphs, headings, tables, notes, heads and feet of pages; lines are those of that text.

Rich Text Format Specification 1.9.1. The file is read as the bytes that it is, because a letter of Chinese may be an
escape and a brace to whoever takes it for text; each font has its own encoding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.held import letters
from embassay.ingest.readers._markdown import as_blocks
from embassay.ingest.readers._rtf import (
    APART,
    CHARACTERS,
    CHARSETS,
    COLLECTED,
    DOCUMENT_SETS,
    ENDS,
    FURNITURE,
    LEFT_OUT,
    STARRED,
    SYMBOLS,
    TOKEN,
    Sink,
    words_outside,
)
from embassay.text import encodable
from embassay.types import Metadata

SUFFIXES = frozenset({".rtf"})


@dataclass
class _Group:
    """What holds between a brace and its partner."""

    sink: Sink | None = None
    """None where nothing is read."""
    destination: str = ""
    encoding: str = "cp1252"
    skip: int = 1
    """Bytes that stand behind a character of Unicode for programs which do not know it."""
    level: int = 0
    """Of the heading that the paragraph is; 0 for one that is none."""
    hidden: bool = False
    in_cell: bool = False
    both: Sink | None = None
    """Where text goes that is written twice, for old programs and as Unicode, of which the latter is read."""


_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*)+\\(rtf)?")
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|заголовок) (\d)$")


def read(source: SourceFile) -> Iterator[Document]:
    if not _BEGINNING.match(source.data):
        yield Document(source.id, source.id, source.text(), "text")  # which people save by this name too
        return
    reading = _Reading(source.data)
    reading.run()
    metadata: Metadata = {"author": author} if (author := reading.property("author")) else {}
    text = encodable(reading.text())
    yield Document(source.id, source.id, text, "markdown", title=reading.property("title"), metadata=metadata)


def holds(source: SourceFile) -> int | None:
    """The letters outside of the tables that programs write, which are most of a short file."""
    return letters(words_outside(source.data).decode("latin-1")) if _BEGINNING.match(source.data) else None


class _Reading:
    """One pass over the tokens of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._body = Sink()
        self._group = _Group(self._body)
        self._stack: list[_Group] = []
        self._pending = bytearray()
        """Bytes of text that are not decoded yet: a character may have several, each written in its own way."""
        self._skip = 0
        self._default = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._style = 0
        self._levels: dict[int, int] = {}
        """Of headings, by the number of the style."""
        self._furniture: dict[str, None] = {}
        self._properties: dict[str, str] = {}
        self._starred = False

    def property(self, name: str) -> str:
        """What the document says of itself."""
        return self._properties.get(name, "")

    def text(self) -> str:
        """The document, with what stood at the heads and feet of its pages in front of it."""
        furniture = [text for text in self._furniture if any(c.isalpha() for c in text)]
        return as_blocks([*furniture, self._body.text()])

    def run(self) -> None:
        """Read to the brace that ends the document; a part of one, as programs put together, to its end."""
        at = self._data.index(b"{")
        beginning = _BEGINNING.match(self._data)
        whole = beginning is not None and beginning[1] is not None
        while at < len(self._data):
            token = TOKEN.match(self._data, at)
            if token is None:
                return
            at = token.end()
            word, number, code, symbol, brace, plain = token.groups()
            if plain:
                self._plain(plain)
            elif code:
                self._byte(int(code, 16))
            elif brace == b"{":
                self._open()
            elif brace:
                self._close()
                if whole and not self._stack:
                    return
            elif symbol:
                self._symbol(symbol.decode("latin-1"))
            elif word == b"bin" and number:
                at += max(0, int(number))
            elif word:
                self._word(word.decode("ascii"), None if number is None else int(number))
        while self._stack:
            self._close()

    def _plain(self, text: bytes) -> None:
        skipped = min(self._skip, len(text))
        self._skip -= skipped
        if self._group.sink is not None and not self._group.hidden:
            self._pending += text[skipped:]

    def _byte(self, code: int) -> None:
        if self._skip:
            self._skip -= 1
        elif self._group.sink is not None and not self._group.hidden:
            self._pending.append(code)

    def _say(self, text: str) -> None:
        self._decode()
        if self._group.sink is not None and not self._group.hidden:
            self._group.sink.parts.append(text)

    def _decode(self) -> None:
        if self._pending:
            if self._group.sink is not None:
                self._group.sink.parts.append(self._pending.decode(self._group.encoding, "replace"))
            self._pending.clear()

    def _open(self) -> None:
        self._decode()
        self._skip = 0
        self._stack.append(self._group)
        self._group = copy(self._group)

    def _close(self) -> None:
        self._decode()
        self._skip, self._starred = 0, False
        left, self._group = self._group, self._stack.pop() if self._stack else self._group
        if left.destination == self._group.destination and left.sink is self._group.sink:
            self._defined(left)
        elif left.sink is not None and left.sink is not self._group.sink:
            self._ended(left, left.sink)

    def _defined(self, group: _Group) -> None:
        """The end of an entry of a table, which is a group of its own in most of them."""
        if group.destination == "stylesheet" and group.sink is not None:
            name = "".join(group.sink.parts).strip(" ;\n").casefold()
            group.sink.parts.clear()
            if found := _HEADING.match(name):
                self._levels[self._style] = int(found[1])
            elif name == "title":
                self._levels[self._style] = 1

    def _ended(self, group: _Group, sink: Sink) -> None:
        """The end of a destination that had a place of its own."""
        if group.destination in FURNITURE:
            self._furniture[sink.text()] = None
        elif group.destination in ("title", "author"):
            self._properties[group.destination] = " ".join(encodable("".join(sink.parts)).split())
        elif group.destination in APART and self._group.sink is not None:
            self._group.sink.later.append(sink.text())

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif self._skip:
            self._skip -= 1
        elif symbol in "\n\r":
            self._decode()
            self._end_paragraph()
        elif symbol in "\\{}":
            self._plain(symbol.encode())  # which may be the second byte of a letter
        else:
            self._say(SYMBOLS.get(symbol, ""))

    def _word(self, word: str, number: int | None) -> None:
        if self._skip and word != "u":
            self._skip -= 1
            if word in CHARACTERS:
                return
        starred, self._starred = self._starred, False
        if word in LEFT_OUT or (starred and word not in STARRED):
            self._decode()
            self._group.sink, self._group.destination = None, word
        elif word in CHARACTERS:
            self._say(CHARACTERS[word])
        elif word == "u":
            self._skip = 0
            self._say(chr((number or 0) % 0x10000))
            self._skip = self._group.skip
        elif word in ENDS:
            self._decode()
            self._end_paragraph()
        elif (handler := getattr(self, f"_on_{word}", None)) is not None:
            self._decode()
            handler(number)
        elif word in COLLECTED:
            self._begin(word)
        elif word in DOCUMENT_SETS:
            self._default = self._group.encoding = DOCUMENT_SETS[word]

    def _begin(self, destination: str) -> None:
        """A destination that has a place of its own, unless what surrounds it is left out."""
        self._decode()
        self._group.destination = destination
        if self._group.sink is not None or destination in APART:
            self._group.sink = Sink()
            self._group.level, self._group.hidden = 0, False

    def _end_paragraph(self) -> None:
        if self._group.sink is not None:
            self._group.sink.end_paragraph(self._group.level, in_cell=self._group.in_cell)

    def _on_cell(self, _: int | None) -> None:
        if self._group.sink is not None:
            self._group.sink.end_cell()

    _on_nestcell = _on_cell

    def _on_row(self, _: int | None) -> None:
        if self._group.sink is not None:
            self._group.sink.end_row()

    def _on_intbl(self, _: int | None) -> None:
        self._group.in_cell = True

    def _on_pard(self, _: int | None) -> None:
        self._group.level, self._group.in_cell = 0, False

    def _on_plain(self, _: int | None) -> None:
        self._group.hidden = False

    def _on_v(self, number: int | None) -> None:
        self._group.hidden = number != 0

    _on_deleted = _on_v

    def _on_uc(self, number: int | None) -> None:
        self._group.skip = min(max(number or 0, 0), 10)

    def _on_upr(self, _: int | None) -> None:
        self._group.both, self._group.sink = self._group.sink, None

    def _on_ud(self, _: int | None) -> None:
        self._group.sink = self._group.both

    def _on_s(self, number: int | None) -> None:
        self._style = number or 0
        self._group.level = self._levels.get(self._style, 0)

    def _on_outlinelevel(self, number: int | None) -> None:
        level = number + 1 if number is not None and 0 <= number <= 8 else 0
        self._group.level = level
        if self._group.destination == "stylesheet":
            self._levels[self._style] = level

    def _on_ansicpg(self, number: int | None) -> None:
        self._default = self._group.encoding = _known(f"cp{number}")

    def _on_f(self, number: int | None) -> None:
        self._font = number or 0
        if self._group.destination != "fonttbl":
            self._group.encoding = self._fonts.get(self._font, self._default)

    def _on_fcharset(self, number: int | None) -> None:
        self._fonts[self._font] = CHARSETS.get(number or 0, self._default)

    def _on_cpg(self, number: int | None) -> None:
        self._fonts[self._font] = _known(f"cp{number}")


def _known(encoding: str) -> str:
    """The encoding, or that of Western Windows where Python has none of that name."""
    try:
        return codecs.lookup("utf-8" if encoding == "cp65001" else encoding).name
    except LookupError:
        return "cp1252"
