"""Manual pages (man(7) and mdoc(7)) as text under their headings, each line tied to its line in the file.

There is no typesetter here: macros are read for what they say of their text; what only moves it about is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from embassay.errors import NotText
from embassay.ingest.base import Document, SourceFile
from embassay.ingest.readers._markdown import as_heading, as_text
from embassay.ingest.readers._mdoc import mdoc_line
from embassay.ingest.readers._roff import STRINGS, arguments, plain

SUFFIXES = frozenset({f".{section}" for section in range(1, 10)}) | frozenset(
    {
        ".man",
        ".mdoc",
        ".1p",
        ".3p",
        ".7p",
        ".3pm",
        ".1m",
        ".1ssl",
        ".3ssl",
        ".5ssl",
        ".7ssl",
        ".3x",
        ".3t",
        ".3tcl",
        ".3am",
    }
)
_PAGE = re.compile(r"(?m)^[.'][ \t]*(?:TH|Dd|Dt|SH|Sh|so)\b")
"""What every page has near its beginning; a log whose name ends in ``.1`` has not."""
_OTHER_PAGE = re.compile(r"(?m)^[.'][ \t]*so[ \t]+(\S{1,200})")
HEAD = 20_000
"""Characters in which it is looked for: some pages begin with their licence."""
ALTERNATING = frozenset({"BI", "BR", "IB", "IR", "RB", "RI"})
FONTS = frozenset({"B", "I", "R", "SM", "SB", "CW"})
PARAGRAPHS = frozenset({"PP", "LP", "P", "Pp", "sp", "HP", "TQ", "YS", "RS", "RE"})
HEADINGS = {"SH": 2, "Sh": 2, "SS": 3, "Ss": 3}
DEFINING = frozenset({"de", "de1", "am", "ig", "ami", "dei"})
PREFORMATTED = {"nf": True, "EX": True, "Vb": True, "fi": False, "EE": False, "Ve": False}
QUIET = frozenset(
    "ad af as bd bp br c2 cc ce cu do ec em eo ev ex fam fc fl fp ft hc hl hlm hw hy hym hys in it "
    "ll lt mc mk na ne nh nm nop nr ns nx os pc pl pm po ps rm rn rr rs rt ss sy ta tc ti tm tr uf ul vs warn wh "
    "write PD DT UC AT IX OP UE ME Os Dd als lf schar char hcode fchar mso so pso rj "
    "brp color defcolor nroff".split()
)
"""Requests and macros whose words are not printed."""
_MACRO = re.compile(r"([^\s\\]{1,40})\s*(.*)", re.DOTALL)
_CONDITION = re.compile(r"\s*(!?)\s*([ntoe]\b|\([^)]*\)|\S+)\s*(.*)", re.DOTALL)
MAX_STRING = 200
"""Characters of a string of the page that are put in its place."""
MAX_CONDITIONS = 50
"""Conditions on one line, each behind the one before."""
TRUE = frozenset({"n", "o"})
"""Conditions that hold: the page is printed by a terminal, on an odd page."""


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    if not _PAGE.search(text, 0, HEAD):
        yield Document(source.id, source.id, text, "text")  # a log, or a release's notes
        return
    page = _Page()
    for number, line in enumerate(_logical(text), 1):
        page.feed(line, number)
    page.end_paragraph()
    if not page.text and (other := _OTHER_PAGE.search(text)):
        raise NotText(f"it only names another page: {other[1]}")
    yield Document(
        source.id, source.id, "\n".join(page.text), "markdown", title=page.title, source_lines=page.numbers or None
    )


def _logical(text: str) -> Iterator[str]:
    """The lines, one that is continued joined to the next, with an empty one in the place of that."""
    held, joined = "", 0
    for line in text.split("\n"):
        if line.endswith("\\{\\"):  # opens a block
            line = line[:-1]
        elif line.endswith("\\") and not line.endswith("\\\\") and len(held) < 10_000:
            held, joined = held + line[:-1], joined + 1
            continue
        yield held + line
        yield from (CONTINUED for _ in range(joined))
        held, joined = "", 0
    if held:
        yield held


CONTINUED = "\0"
"""Stands for a line that was joined to the one before."""


class _Page:
    """What was said so far, line by line."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.numbers: list[int] = []
        self.title = ""
        self._strings = dict(STRINGS)
        self._name = ""
        self._said: list[str] = []
        self._first = 1
        self._preformatted = False
        self._table = False
        self._tag = False
        """Whether the next line is the tag of a paragraph."""
        self._heading = 0
        """Level of the heading whose words stand on the next line."""
        self._until: Callable[[str], bool] | None = None
        """Ends what is passed over."""
        self._otherwise = False
        self._depth = 0

    def feed(self, line: str, number: int) -> None:
        """Take in the line with this number."""
        if self._until is not None:
            if self._until(line):
                self._until = None
        elif line == CONTINUED:
            pass
        elif line.startswith((".", "'")) and not line.startswith("..."):
            self._request(line[1:].strip(), number)
        else:
            self._words(line, number)

    def end_paragraph(self) -> None:
        """What was said since the last one becomes a line, with an empty one behind it."""
        if self._said:
            self._put(" ".join(self._said))
            self._said = []
        if self.text and self.text[-1]:
            self._put("")

    def _put(self, line: str) -> None:
        self.text.append(as_text(line))
        self.numbers.append(self._first)

    def _words(self, line: str, number: int) -> None:
        said = plain(line, self._strings)
        if self._heading:
            self._head(self._heading, said, number)
        elif self._preformatted or self._table:
            row = _cells(said) if self._table else said
            if row or self._preformatted:
                self._first = number
                self._put(row)
        elif not said.strip():
            self.end_paragraph()
        else:
            if not self._said or said[0] in " \t":
                self.end_line()
                self._first = number
            self._said.append(" ".join(said.split()))
            if self._tag:
                self.end_line()
            self._tag = False

    def end_line(self) -> None:
        """What was said since the last break becomes a line."""
        if self._said:
            self._put(" ".join(self._said))
            self._said = []

    def _head(self, level: int, words: str, number: int) -> None:
        self.end_paragraph()
        self._heading, self._tag, self._preformatted = 0, False, False
        self._first = number
        if words.strip():
            self.text += [as_heading(level, words), ""]
            self.numbers += [number, number]

    def _request(self, line: str, number: int) -> None:
        line = line.replace("\\}", "").strip()
        if not line or line.startswith(('\\"', "\\#")):
            return
        found = _MACRO.match(line)
        name, rest = (found[1], found[2]) if found else ("", "")
        if name in HEADINGS:
            words = plain(" ".join(arguments(rest)), self._strings)
            self._heading = HEADINGS[name]
            if words:
                self._head(self._heading, words, number)
        elif name in ("TH", "Dt"):
            self.title = _titled([plain(part, self._strings) for part in arguments(rest)])
        elif name in ("if", "ie", "el", "while"):
            self._conditional(name, rest, number)
        elif name in DEFINING:
            self._until = _ends_with(_end_of(name, arguments(rest)))
        elif name == "ds":
            key, _, value = rest.strip().partition(" ")
            self._strings[key] = plain(value.strip().removeprefix('"'), self._strings)[:MAX_STRING]
        elif name in PREFORMATTED or name in ("Bd", "Ed"):
            self.end_paragraph()
            self._preformatted = PREFORMATTED.get(name, name == "Bd" and ("-literal" in rest or "-unfilled" in rest))
        elif name in ("TS", "T&", "TE"):
            self.end_paragraph()
            self._table = name != "TE"
            self._until = _ends_format if self._table else None
        else:
            self._macro(name, rest, number)

    def _macro(self, name: str, rest: str, number: int) -> None:
        """A macro that says something in the text."""
        if name in PARAGRAPHS:
            self.end_paragraph()
        elif name in ("TP", "IP", "It", "Bl", "El"):
            self.end_paragraph()
            self._tag = name == "TP"
            if name != "TP" and (words := self._spoken(name, rest)):
                self._words(words, number)
                self.end_line()
        elif name in ("br", "D1", "Dl"):
            self.end_line()
            if name != "br":
                self._words(self._spoken(name, rest), number)
                self.end_line()
        elif name not in QUIET and (words := self._spoken(name, rest)):
            self._words(words.strip(), number)  # a line of text, even where it begins with white space

    def _spoken(self, name: str, rest: str) -> str:
        """The words of a macro, as it joins them."""
        if name in ALTERNATING:
            return "".join(arguments(rest))
        if name in FONTS or name.isupper():
            given = arguments(rest)
            return " ".join(given[:1] if name == "IP" else given)
        if name == "Nm":
            words = arguments(rest)
            if words and not self._name:
                self._name = words[0]
            return mdoc_line(words or [self._name])
        return mdoc_line([name, *arguments(rest)])

    def _conditional(self, name: str, rest: str, number: int) -> None:
        """What stands behind a condition is read where that holds for a terminal, and else passed over."""
        if self._depth > MAX_CONDITIONS:
            return
        if name == "el":
            holds, then = self._otherwise, rest
        else:
            found = _CONDITION.match(rest)
            if found is None:
                return
            holds, then = (found[2] in TRUE) != bool(found[1]), found[3]
            self._otherwise = not holds
        then = then.lstrip()
        block = then.startswith("\\{")
        if holds:
            self._depth += 1
            self.feed(then.removeprefix("\\{").removesuffix("\\}").strip(), number)
            self._depth -= 1
        elif block and "\\}" not in then:
            self._until = _block_end()


def _block_end() -> Callable[[str], bool]:
    depth = 1

    def ends(line: str) -> bool:
        nonlocal depth
        depth += line.count("\\{") - line.count("\\}")
        return depth <= 0

    return ends


def _ends_with(mark: str) -> Callable[[str], bool]:
    return lambda line: line.strip().replace(" ", "") == mark


def _ends_format(line: str) -> bool:
    """Whether the line is the last one of those that say how the columns of a table are laid out."""
    return line.rstrip().endswith(".") and not line.startswith(".")


def _end_of(name: str, given: Sequence[str]) -> str:
    """The line that ends the definition of a macro, or what is to be passed over."""
    own = given[:1] if name == "ig" else given[1:2]
    return "." + (own[0] if own else ".")


def _titled(words: Sequence[str]) -> str:
    return f"{words[0]}({words[1]})" if len(words) > 1 else "".join(words[:1])


def _cells(line: str) -> str:
    """A row of a table of tbl(1); its rules and the marks around texts of several lines are left out."""
    if line.strip() in ("_", "=", "T}", "T{") or line.endswith(" ;"):
        return ""
    return " | ".join(cell.strip() for cell in line.replace("T{", "").replace("T}", "").split("\t") if cell.strip())
