"""LaTeX: the body of a document under its sections, each paragraph tied to the line at which it begins.

What divides a text (sections, lists, tables, listings) is found line by line here; what stands inside a paragraph,
formulas and accents above all, is made text by pylatexenc. The preamble, comments and layout are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from embassay import remedy
from embassay.errors import NotText
from embassay.ingest.base import Document, SourceFile
from embassay.ingest.held import letters
from embassay.ingest.readers._markdown import as_code, as_heading, as_row, as_text

SUFFIXES = frozenset({".tex", ".ltx", ".latex"})
EXTRA = "embassay[formats]"
BEGINS = "\\begin{document}"
LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5, "subparagraph": 6}
VERBATIM = frozenset(
    {"verbatim", "verbatim*", "Verbatim", "lstlisting", "minted", "alltt", "code", "BVerbatim", "LVerbatim"}
)
MATH = frozenset("equation align gather multline eqnarray displaymath math flalign alignat split dmath".split())
SILENT = frozenset({"comment", "tikzpicture", "pgfpicture", "filecontents", "CJKfilt"})
"""Environments whose content is no text."""
MAX_PARAGRAPH = 20_000
"""Characters that are made text at once."""
LONG_TITLE = 2_000
"""Characters within which a title ends."""
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
_BEGIN = re.compile(r"\\begin\s*\{([A-Za-z]+\*?)\}")
_END = re.compile(r"\\end\s*\{([A-Za-z]+\*?)\}")
_ARGUMENTS = re.compile(r"(?:\s*\[[^\[\]]*\])*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})?")
"""Of an environment that lays out, as the columns of a table: not text."""
_OPTION = re.compile(r"^\s*\[([^\[\]]*)\]")
"""Of an environment whose option is text, as the name of a theorem."""
LAYOUTS = tuple(
    "tabular longtable figure table minipage multicols enumerate itemize thebibliography wrapfigure column".split()
)
_SECTION = re.compile(r"\\(part|chapter|(?:sub){0,2}section|(?:sub)?paragraph)\*?\s*(?:\[[^\[\]]*\])?\s*\{")
_ABOUT = {name: re.compile(rf"\\{name}\s*(?:\[[^\[\]]*\])?\s*\{{") for name in ("title", "author", "date")}
_ITEM = re.compile(r"\\item\b\s*(?:\[([^\[\]]*)\])?")
_WITHOUT_TEXT = re.compile(
    r"\\(?:label|ref|eqref|pageref|autoref|cref|Cref|nameref|cite[a-zA-Z]*|nocite|vspace|hspace|includegraphics|input|"
    r"include|bibliography|bibliographystyle|usepackage|documentclass|pagestyle|thispagestyle|setcounter|addtocounter|"
    r"setlength|addtolength|index|color|definecolor|hypersetup|graphicspath|newpage|selectlanguage|addcontentsline|"
    r"cline|cmidrule|linespread|fontsize|rule|phantomsection|hypertarget|printbibliography|addbibresource)"
    r"\*?(?:\([^()\n]*\))?(?:\[[^\[\]\n]*\])*(?:\{[^{}\n]*\})*"
)
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|centering|noindent|maketitle|tableofcontents|"
    r"newline|clearpage|bigskip|medskip|smallskip|par|appendix|raggedright)\b"
)
_GROUP = r"\s*\{[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\}"
_LINKED = re.compile(
    rf"\\(?:(?:href|textcolor|texorpdfstring){_GROUP}|(?:multicolumn|multirow){_GROUP}{_GROUP})\s*(?=\{{)"
)
"""Macros whose last argument alone is text."""
_DEFINED = re.compile(
    rf"\\(?:def\s*\\[A-Za-z]+[#\d]*|(?:re|provide)?newcommand\*?(?:{_GROUP}|\s*\\[A-Za-z]+)(?:\[[^\[\]\n]*\])*|"
    rf"newenvironment{_GROUP}{_GROUP}|newtheorem\*?{_GROUP}){_GROUP}"
)
SYMBOLS = {"textgreater": ">", "textless": "<", "textbar": "|", "textasciitilde": "~",
           "textasciicircum": "^", "textunderscore": "_", "slash": "/", "allowbreak": "", "tightlist": ""}  # fmt: skip
_VERB = re.compile(r"\\(?:verb\*?|lstinline(?:\[[^\[\]\n]*\])?)([^A-Za-z\s\[*])(.{0,1000}?)\1")
_SYMBOL = re.compile(rf"\\({'|'.join(SYMBOLS)})\b(?:\s*\{{\}})?")
_FONT = re.compile(r"\\(?:emph|textbf|textit|texttt|textsc|textrm|textsf|underline|mbox)\{([^{}\\$]*)\}")
_ESCAPED = re.compile(r"\\([%&_#$])")
_LAID_OUT = re.compile(r"\\(?:begin|end)\s*\{[^{}\n]*\}(?:\[[^\[\]\n]*\]|\{[^{}\n]*\})*")
_MACRO = re.compile(r"\\[A-Za-z]+\*?\s?|\\.|[{}$]")


def read(source: SourceFile) -> Iterator[Document]:
    convert = _converter()
    text = source.text()
    preamble, begins, body = text.partition(BEGINS)
    if not begins:
        preamble, body = "", text
    about = {name: " ".join(convert(_given(pattern, text)).split()) for name, pattern in _ABOUT.items()}
    pages = _Body(convert)
    pages.front([about[name] for name in ("author", "date") if about[name]])
    for number, line in enumerate(body.partition("\\end{document}")[0].split("\n"), preamble.count("\n") + 1):
        pages.feed(line, number)
    pages.end_paragraph()
    yield Document(
        source.id,
        source.id,
        "\n".join(pages.text),
        "markdown",
        title=about.pop("title"),
        metadata={name: said for name, said in about.items() if said},
        source_lines=pages.numbers or None,
    )


def holds(source: SourceFile) -> int | None:
    """The letters of the body without its macros, of which tables and drawings are made."""
    text = source.text()
    body = text.partition(BEGINS)[2] or text
    for pattern in (_COMMENT, _DEFINED, _WITHOUT_TEXT, _LAID_OUT, _MACRO):
        body = pattern.sub(" ", body)
    return letters(body)


def _given(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return _braced(text, found.end())[0] if found else ""


class _Body:
    """What was read so far."""

    def __init__(self, convert: Any) -> None:
        self.text: list[str] = []
        self.numbers: list[int] = []
        self._convert = convert
        self._held: list[str] = []
        """Lines of the present paragraph, formula or listing."""
        self._size = 0
        self._first = 1
        self._inside = ""
        """The environment that is taken as it stands: a listing, a formula, what is passed over."""
        self._open = ""
        """The beginning of a title that goes on in the next line."""
        self._row = False
        """Whether the lines are those of a table."""

    def front(self, lines: list[str]) -> None:
        """What stands below the title."""
        self._put([as_text(line) for line in lines], 1)

    def feed(self, line: str, number: int) -> None:
        """Take in the line with this number."""
        while len(line) > MAX_PARAGRAPH:
            end = line.rfind(" ", MAX_PARAGRAPH // 2, MAX_PARAGRAPH) + 1 or MAX_PARAGRAPH
            self.feed(line[:end], number)
            line = line[end:]
        if self._inside:
            self._within(line)
            return
        bare = self._open + _COMMENT.sub(r"\1", _VERB.sub(_escaped, line))
        if (found := _SECTION.search(bare)) and _braced(bare, found.end())[1] is None and len(bare) < LONG_TITLE:
            self._open = bare + " "
            return
        self._open = ""
        if not bare.strip():
            if not line.strip():
                self.end_paragraph()
            return
        if found := _BEGIN.search(bare):
            self._begin(bare, found, number)
        elif found := _SECTION.search(bare):
            self._hold(bare[: found.start()], number)
            self.end_paragraph()
            title, rest = _braced(bare, found.end())
            self._put([as_heading(LEVELS[found[1]], self._convert(title))], number)
            self._hold(rest or "", number)
        elif found := _END.search(bare):
            self._hold(bare[: found.start()], number)
            self.end_paragraph()
            if self._row and "tabular" in found[1]:
                self._row = False
                self.text.append("")
                self.numbers.append(number)
            self._hold(bare[found.end() :], number)
        else:
            self._hold(bare, number)

    def end_paragraph(self) -> None:
        """What is held becomes a line, with an empty one behind it."""
        said = self._convert(" ".join(self._held)) if self._held else ""
        self._held, self._size = [], 0
        if said.strip():
            self._put([as_text(" ".join(row.split())) for row in said.split("\n") if row.strip()], self._first)

    def _put(self, rows: list[str], number: int) -> None:
        rows = [row for row in rows if row]
        if rows:
            self.text += [*rows, ""]
            self.numbers += [number] * (len(rows) + 1)

    def _hold(self, line: str, number: int) -> None:
        items = list(_ITEM.finditer(line))
        if items:
            self._hold(line[: items[0].start()], number)
            for item, end in zip(items, [*(i.start() for i in items[1:]), len(line)], strict=True):
                self.end_paragraph()
                self._keep(f"- {item[1] or ''} {line[item.end() : end]}", number)
        elif line.strip():
            self._keep(line, number)
            if self._size > MAX_PARAGRAPH or (self._row and "\\\\" in line):
                self._end_row() if self._row else self.end_paragraph()

    def _keep(self, line: str, number: int) -> None:
        if not self._held:
            self._first = number
        self._held.append(line)
        self._size += len(line)

    def _end_row(self) -> None:
        """Rows of a table, a line each."""
        for row in re.split(r"\\\\(?:\[[^\[\]]*\])?", " ".join(self._held)):
            cells = [" ".join(self._convert(cell).split()) for cell in re.split(r"(?<!\\)&", row)]
            if any(cells):
                self.text.append(as_text(as_row(cells)))
                self.numbers.append(self._first)
        self._held, self._size = [], 0

    def _begin(self, line: str, found: re.Match[str], number: int) -> None:
        self._hold(line[: found.start()], number)
        name, rest = found[1], line[found.end() :]
        plain = name.rstrip("*")
        if name in VERBATIM or plain in MATH or plain in SILENT:
            self.end_paragraph()
            self._inside, self._first = name, number
            self._held = [] if plain not in MATH else [f"\\begin{{{name}}}"]
            if rest.strip() and (plain in MATH or _END.search(rest)):
                self._within(rest)
            return
        self.end_paragraph()
        self._row = self._row or "tabular" in name
        if name.startswith(LAYOUTS) and (arguments := _ARGUMENTS.match(rest)):
            rest = rest[arguments.end() :]
        self.feed(_OPTION.sub(r"\1 ", rest), number)

    def _within(self, line: str) -> None:
        """A line of what is taken as it stands, up to its end."""
        found = _END.search(line)
        while found and found[1] != self._inside:
            found = _END.search(line, found.end())
        self._held.append(line[: found.start()] if found else line)
        if not found:
            return
        name, self._inside = self._inside, ""
        plain = name.rstrip("*")
        if plain in MATH:
            self._held.append(f"\\end{{{name}}}")
            self.end_paragraph()
        else:
            rows = as_code("\n".join(self._held)).split("\n") if plain not in SILENT else []
            self._held = []
            self._put(rows, self._first)


def _braced(text: str, start: int) -> tuple[str, str | None]:
    """What stands between the brace before `start` and its partner, and what follows; None where it has none."""
    depth = 1
    for at in range(start, min(len(text), start + LONG_TITLE)):
        depth += (text[at] == "{") - (text[at] == "}") if text[at - 1] != "\\" else 0
        if depth == 0:
            return text[start:at], text[at + 1 :]
    return text[start : start + LONG_TITLE], None


def _escaped(verb: re.Match[str]) -> str:
    """Text that is quoted as it stands, in the words of LaTeX."""
    special = {"\\": "\\backslash ", "^": "\\^{}", "~": "\\~{}", "`": "{`}", "'": "{'}", "-": "{-}"}
    return "".join(special.get(c, f"\\{c}" if c in "{}$&#_%" else c) for c in verb[2])


@cache
def _converter() -> Any:
    """What makes text of LaTeX inside of a paragraph. Raises NotText where its library is not installed."""
    try:
        from pylatexenc.latex2text import LatexNodes2Text
    except ImportError as error:
        raise NotText(f"LaTeX needs a library that is not installed: {remedy.install(EXTRA)}") from error
    library = LatexNodes2Text(math_mode="text", keep_comments=False)

    def convert(text: str) -> str:
        text = _WITHOUT_TEXT.sub(" ", _LINKED.sub("", _DEFINED.sub(" ", text)))
        text = _SYMBOL.sub(lambda found: SYMBOLS[found[1]], _RULES.sub(" ", text))
        if (simple := _simply(text)) is not None:
            return simple
        try:
            return str(library.latex_to_text(text))
        except Exception:  # on some uses of macros the library fails in the middle
            return _MACRO.sub(" ", text)

    return convert


def _simply(text: str) -> str | None:
    """What the library makes of prose with no more than fonts in it, in a fraction of its time; None for others."""
    text = _FONT.sub(r"\1", _FONT.sub(r"\1", text))
    bare = _ESCAPED.sub("", text)
    if "''" in bare or any(mark in bare for mark in "\\{}$&^_`"):
        return None
    text = _ESCAPED.sub(r"\1", text).replace("~", " ")
    return text.replace("---", "\u2014").replace("--", "\u2013")
