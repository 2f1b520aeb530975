"""AsciiDoc with its marks stripped: headings, text, lists, tables, listings. Lines are those of the file.

What other files hold, by ``include::``, is not read here; conditions are not decided, so that all of their text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.errors import NotText
from embassay.ingest.base import Document, SourceFile
from embassay.ingest.readers._markdown import as_heading, as_row, as_text
from embassay.types import Metadata

SUFFIXES = frozenset({".adoc", ".asciidoc", ".asc", ".ad"})
ARMOUR = "-----BEGIN PGP"
"""How keys and signatures begin; their files are called ``.asc`` as well."""
MAX_VALUE, MAX_VALUES = 500, 1_000_000
"""Characters of an attribute that are put in the place of its name, and of all of them together."""
_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,}|~{3,}|\^{3,}|\+{3,})$")
LEVELS = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_ATTRIBUTE = re.compile(r":(!?[\w][\w-]*!?):(?:[ \t]+(.*))?$")
_REFERENCE = re.compile(r"\{([\w][\w-]{0,60})\}")
_VERBATIM = re.compile(r"(-{4,}|\.{4,}|```+)(\w*)[ \t]*$")
_DELIMITER = re.compile(r"(?:={4,}|\*{4,}|_{4,}|\+{4,}|--|'{3,}|<{3,}|\+|[|!,:]={3,})[ \t]*$")
_STYLE = re.compile(r"\[([^\[\]]*)\][ \t]*$")
_DIRECTIVE = re.compile(r"(?:include|ifdef|ifndef|ifeval|endif|toc)::\S*\[(.*)\][ \t]*$")
_MACRO = re.compile(r"(?:image|video|audio)::?[^\s\[\]]{1,1000}\[([^\[\],\n]*)[^\[\]\n]*\]")
_NOTE = re.compile(
    r"footnote(?:ref)?:[\w-]*\[(?:\w+,)?([^\[\]\n]*)\]|(?:kbd|btn|pass|stem|latexmath|asciimath):\w*\[([^\[\]\n]*)\]"
)
_MENU = re.compile(r"menu:([^\[\]\n]{1,200})\[([^\[\]\n]*)\]")
_LINK = re.compile(r"(?:link:|xref:|mailto:|(?=https?://|ftp://))([^\s\[\]<>]{1,1000})\[([^\[\]\n]*)\]")
_CROSS = re.compile(r"<<([^<>,\n]+)(?:,([^<>\n]*))?>>")
_ANCHOR = re.compile(r"\[\[[^\[\]\n]*\]\]|anchor:[\w-]+\[[^\[\]\n]*\]|\(\(\([^()\n]*\)\)\)")
_DOUBLE = re.compile(r"\*\*|__|``|##|\+\+")
_SINGLE = [
    re.compile(rf"(?<![\w{mark}]){mark}(?=\S)([^{mark}\n]{{1,500}}?)(?<=\S){mark}(?!\w)")
    for mark in ("`", r"\*", "_", "#", r"\+")
]
_ITEM = re.compile(r"[ \t]*(\*{1,6}|-|\.{1,6}|\d+\.)[ \t]+(?=\S)")
_TERM = re.compile(r"(\S.{0,300}?)(?:::{1,3}|;;)(?:[ \t]+|$)")
_BLOCK_TITLE = re.compile(r"\.(?=[^\s.])")
_CELL = re.compile(r"(?<!\\)(?:\b\d*(?:\.\d+)?[*+])?[<^>.]*[aehlmsdv]?\|")


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    if text.lstrip().startswith(ARMOUR):
        raise NotText("a key or a signature")
    page = _Page()
    given = text.split("\n")
    out = [page.line(line, below) for line, below in zip(given, [*given[1:], ""], strict=True)]
    metadata: Metadata = {"author": author} if (author := page.attributes.get("author", "")) else {}
    yield Document(source.id, source.id, "\n".join(out), "markdown", metadata=metadata)


class _Page:
    """Each line as Markdown; what is left out becomes an empty line, so that the lines stay those of the file."""

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self._left = MAX_VALUES
        self._fence = ""
        """The line that ends what is taken as it stands, or passed over."""
        self._silent = self._table = self._underline = False
        self._language = ""
        self._before = ""

    def line(self, line: str, below: str) -> str:
        """The line, in front of the line `below`."""
        said = self._line(line.rstrip(), below.rstrip())
        self._before = line
        return said

    def _line(self, line: str, below: str) -> str:
        if self._fence:
            return self._verbatim(line)
        if self._underline:
            self._underline = False
            return ""
        if fence := _VERBATIM.match(line):
            self._fence, language = fence[1], fence[2] or self._language
            self._language = ""
            return f"```{language}"
        if line.startswith("//"):
            if re.fullmatch(r"/{4,}", line):
                self._fence, self._silent = line, True
            return ""
        return self._block(line, below)

    def _verbatim(self, line: str) -> str:
        if line == self._fence:
            silent, self._fence, self._silent = self._silent, "", False
            return "" if silent else "```"
        return "" if self._silent else line

    def _block(self, line: str, below: str) -> str:
        """A line that is neither a comment nor taken as it stands."""
        if attribute := _ATTRIBUTE.match(line):
            self.attributes[attribute[1]] = (attribute[2] or "")[:MAX_VALUE]
            return ""
        if line.startswith("|==="):
            self._table = not self._table
            return ""
        if _DELIMITER.match(line):
            return ""
        if style := _STYLE.match(line):
            return self._style(style[1])
        if directive := _DIRECTIVE.match(line):
            return self._inline(directive[1]) if line.startswith(("ifdef", "ifndef")) else ""
        if heading := _HEADING.match(line):
            return self._heading(len(heading[1]), heading[2])
        if self._is_underlined(line, below):
            self._underline = True
            return self._heading(LEVELS[below[0]], line)
        if self._table:
            return as_row(filter(str.strip, (self._inline(cell) for cell in _CELL.split(line))))
        return self._paragraph(line)

    def _paragraph(self, line: str) -> str:
        if item := _ITEM.match(line):
            mark = item[1]
            return "  " * (len(mark) - 1 if mark[0] in "*." else 0) + "- " + self._inline(line[item.end() :])
        if term := _TERM.match(line):
            return as_text(f"{self._inline(term[1])}: {self._inline(line[term.end() :])}".strip())
        title = _BLOCK_TITLE.match(line)
        return as_text(self._inline(line[1:] if title else line))

    def _is_underlined(self, line: str, below: str) -> bool:
        """Whether `line` is a title of two lines, the second of which is a row of marks."""
        words = any(c.isalnum() for c in line)
        return bool(_UNDERLINE.match(below)) and words and abs(len(below) - len(line)) <= 1 and not self._before.strip()

    def _heading(self, level: int, title: str) -> str:
        return as_heading(level, self._inline(title.rstrip("= ")))

    def _style(self, style: str) -> str:
        """What stands in brackets above a block: the language of a listing, whom a quotation is of."""
        kind, *rest = [part.strip() for part in style.split(",")]
        if kind.partition("%")[0] in ("source", "listing", ""):
            self._language = re.sub(r"\W", "", rest[0]) if rest and "=" not in rest[0] else ""
        return self._inline(", ".join(filter(None, rest))) if kind in ("quote", "verse") else ""

    def _inline(self, text: str) -> str:
        """The words of a line without its marks."""
        text = _REFERENCE.sub(self._referred, text)
        if "[" in text or "<<" in text or "(((" in text:
            text = _ANCHOR.sub("", text)
            text = _MACRO.sub(r"\1", text)
            text = _NOTE.sub(lambda note: f" ({note[1]})" if note[1] else note[2] or "", text)
            text = _MENU.sub(r"\1 > \2", text)
            text = _LINK.sub(lambda link: link[2].rstrip("^") or link[1], text)
            text = _CROSS.sub(lambda cross: (cross[2] or cross[1]).strip(), text)
        if text.endswith(" +"):
            text = text[:-2]
        text = _DOUBLE.sub("", text)
        for pattern in _SINGLE:
            text = pattern.sub(r"\1", text)
        return text

    def _referred(self, reference: re.Match[str]) -> str:
        value = self.attributes.get(reference[1])
        if value is None or len(value) > self._left:
            return reference[0]
        self._left -= len(value)
        return value
