"""Org files: headings, text, tables and blocks, in the lines of the file, without drawers, comments and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.readers._markdown import as_heading, as_text
from embassay.types import Metadata

SUFFIXES = frozenset({".org"})
_HEADING = re.compile(r"(\*+)[ \t]+(\S.*)")
_TAGS = re.compile(r"[ \t]+:([\w@#%:]+):[ \t]*$")
_SETTING = re.compile(r"[ \t]*#\+(\w+)(?:\[[^\]\n]*\])?:[ \t]*(.*)")
_BLOCK = re.compile(r"[ \t]*#\+(begin|end)_(\w+)[ \t]*(\S*)", re.IGNORECASE)
_DRAWER = re.compile(r"[ \t]*:(?!end:)[\w-]+:[ \t]*$", re.IGNORECASE)
_DRAWER_END = re.compile(r"[ \t]*:end:[ \t]*$", re.IGNORECASE)
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
_RULE = re.compile(r"[ \t]*\|[-+|]+[ \t]*$")
_LINK = re.compile(r"\[\[([^\[\]\n]{1,2000})\](?:\[([^\[\]\n]{1,2000})\])?\]")
SAID = frozenset({"caption", "title", "subtitle", "author", "date", "description"})
"""Settings that a printed page shows."""
VERBATIM = frozenset({"src", "example", "export"})
MAX_DRAWER = 100
"""Lines within which a drawer ends; what looks like one that does not is text."""


def read(source: SourceFile) -> Iterator[Document]:
    given = source.text().split("\n")
    page = _Page(given)
    text = [page.line(at, line) for at, line in enumerate(given)]
    title = page.settings.get("title", "")
    metadata: Metadata = {name: said for name in ("author", "date") if (said := page.settings.get(name, ""))}
    yield Document(source.id, source.id, "\n".join(text), "markdown", title=title, metadata=metadata)


class _Page:
    """Each line as Markdown; what is left out becomes an empty line, so that the lines stay those of the file."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.settings: dict[str, str] = {}
        self._fence = ""
        """The kind of the block that is taken as it stands."""
        self._until = -1
        """The line at which a drawer ends."""

    def line(self, at: int, line: str) -> str:
        """The line with this index."""
        block = _BLOCK.match(line)
        if self._fence:
            return self._verbatim(line, block)
        if at <= self._until:
            return ""
        if block:
            return self._begin(block)
        if setting := _SETTING.match(line):
            name, said = setting[1].casefold(), setting[2].strip()
            self.settings.setdefault(name, said)
            return as_text(_linked(said)) if name in SAID else ""
        if _COMMENT.match(line) or _RULE.match(line):
            return ""
        if heading := _HEADING.match(line):
            tags = _TAGS.search(heading[2])
            title = heading[2][: tags.start()] + " " + tags[1].replace(":", " ") if tags else heading[2]
            return as_heading(len(heading[1]), _linked(title))
        if _DRAWER.match(line) and (end := self._end_of_drawer(at)):
            self._until = end
            return ""
        return as_text(_linked(line))

    def _begin(self, block: re.Match[str]) -> str:
        kind = block[2].casefold()
        if block[1].casefold() == "end":
            return ""
        if kind in VERBATIM or kind == "comment":
            self._fence = kind
        return f"```{block[3] if kind == 'src' else ''}" if kind in VERBATIM else ""

    def _verbatim(self, line: str, block: re.Match[str] | None) -> str:
        if block and block[1].casefold() == "end" and block[2].casefold() == self._fence:
            kind, self._fence = self._fence, ""
            return "```" if kind in VERBATIM else ""
        return line if self._fence in VERBATIM else ""

    def _end_of_drawer(self, at: int) -> int:
        """The index of the line that ends the drawer which begins at `at`; 0 where none does."""
        for end in range(at + 1, min(at + MAX_DRAWER, len(self._lines))):
            if _DRAWER_END.match(self._lines[end]):
                return end
            if _HEADING.match(self._lines[end]):
                break
        return 0


def _linked(text: str) -> str:
    """Links as the words that stand for them."""
    return _LINK.sub(lambda link: link[2] or link[1], text) if "[[" in text else text
