"""The words of RTF that readers care about, and where the text of a document goes while it is read.

Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from embassay.ingest.readers._markdown import as_blocks, as_heading, as_row, as_text

TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z])|([{}])|[\r\n\0]+|([^\\{}\r\n\0]+)|\\",
    re.DOTALL,
)
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437",
}  # fmt: skip
"""Encodings of fonts by the number of their character set; other numbers mean that of the document."""
DOCUMENT_SETS = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
CHARACTERS = {
    "tab": "\t", "line": "\n", "emdash": "\u2014", "endash": "\u2013", "emspace": " ", "enspace": " ", "qmspace": " ",
    "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
    "softline": "\n", "lbr": "\n",
}  # fmt: skip
SYMBOLS = {"~": "\u00a0", "_": "-", "-": "", "\t": "\t"}
"""Characters that follow a backslash; a hyphen at which a word may be broken stands for nothing."""
ENDS = frozenset({"par", "sect", "page", "column"})
LEFT_OUT = frozenset(
    "colortbl filetbl pict objdata fldinst datafield nonshppict shprslt nonesttables annotation atnid atnauthor "
    "private atrfstart atrfend atnref atndate xe tc tcn rxe listtable listoverridetable revtbl rsidtbl generator "
    "themedata colorschememapping datastore latentstyles operator subject keywords comment doccomm hlinkbase category "
    "manager company creatim revtim printim buptim pntxta pntxtb template bkmkstart bkmkend ftnsep ftnsepc ftncn "
    "aftnsep aftnsepc aftncn sp panose falt fname fontemb".split()
)
"""Destinations whose text is none of the document's."""
STARRED = frozenset({"shpinst", "shptxt", "ud", "shpgrp", "footnote", "nesttableprops", "dptxbxtext", "do", "docvar"})
"""Destinations that newer programs know, whose text is read; others of them are left out, as the format has it."""
TABLES = frozenset({"fonttbl", "stylesheet", "info"})
"""Destinations that say something of the document and are no text of it."""
FURNITURE = frozenset({"header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"})
APART = frozenset({"footnote", "shptxt", "dptxbxtext"})
"""What stands inside a paragraph and is told behind it."""
COLLECTED = FURNITURE | APART | {"title", "author", "stylesheet", "fonttbl"}
"""Destinations whose text is gathered in a place of its own."""

ROW = "\n"
"""Ends a block that is rows of a table, so that the next row joins it."""


@dataclass
class Sink:
    """Where text goes: the body, a note, a header, a property of the document."""

    blocks: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """Of the present paragraph."""
    cells: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    """Notes and boxes of the present paragraph."""

    def end_paragraph(self, level: int = 0, *, in_cell: bool = False) -> None:
        """What was said since the last one is a paragraph, a heading if it has a level, or a part of a cell."""
        if in_cell or self.cells:
            self.parts.append("\n")
            return
        text, self.parts = "".join(self.parts).strip(), []
        self.blocks.append(as_heading(level, text) if level else as_text(text))
        self._put_down()

    def end_cell(self) -> None:
        """What was said since the last one is a cell."""
        self.cells.append("".join(self.parts))
        self.parts = []

    def end_row(self) -> None:
        """The cells since the last one are a row."""
        if self.parts and "".join(self.parts).strip():
            self.end_cell()
        row = as_text(as_row(self.cells).strip(" |"))
        if self.blocks and self.blocks[-1].endswith(ROW) and row:
            self.blocks[-1] += row + ROW
        elif row:
            self.blocks.append(row + ROW)
        self.cells = []
        self._put_down()

    def text(self) -> str:
        """All of it, as Markdown."""
        if self.cells:
            self.end_row()
        self.end_paragraph()
        return as_blocks(self.blocks)

    def _put_down(self) -> None:
        self.blocks += self.later
        self.later = []


_BRACE = re.compile(rb"\\[\\{}]|\{\s*(?:\\(\*)?\s*\\?([a-z]+))?|\}")
_CONTROL = re.compile(rb"\\'[0-9a-fA-F]{2}|\\u-?\d{1,6} ?\??|\\[a-zA-Z]{1,32}-?\d{0,10} ?|[{}]")


def words_outside(data: bytes) -> bytes:
    """What stands in no table and no picture, without control words: about what a person sees, found in another way."""
    kept = bytearray()
    depth = at = 0
    until: int | None = None
    for brace in _BRACE.finditer(data):
        mark = brace[0][:1]
        if mark == b"{":
            depth += 1
            name = (brace[2] or b"").decode("ascii")
            if until is None and (name in LEFT_OUT | TABLES or (brace[1] and name not in STARRED)):
                kept += data[at : brace.start()]
                until = depth
        elif mark == b"}":
            if until == depth:
                until, at = None, brace.end()
            depth -= 1
    if until is None:
        kept += data[at:]
    return _CONTROL.sub(b" ", bytes(kept))
