"""Where the sections of a text begin: headings of Markdown and reStructuredText, definitions of code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from embassay.ingest.languages import language_of
from embassay.types import Heading


class Outline:
    """Answers which headings stand above a place."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self.headings = headings
        self._starts = [h.at for h in headings]
        self._paths: list[tuple[Heading, ...]] = []
        path: tuple[Heading, ...] = ()
        for heading in headings:
            path = (*(h for h in path if h.level < heading.level and h.end > heading.at), heading)
            self._paths.append(path)

    def path(self, at: int) -> tuple[Heading, ...]:
        """Headings in force at character `at`, outermost first."""
        index = bisect_right(self._starts, at) - 1
        return tuple(h for h in self._paths[index] if h.end > at) if index >= 0 else ()

    def continues(self, first: int, then: int) -> bool:
        """Whether the text at `then` still belongs to the section at `first`, or to one inside it."""
        above = self.path(first)
        return self.path(then)[: len(above)] == above


def outline(text: str, kind: str) -> list[Heading]:
    """Headings of `text` in order of appearance."""
    if kind == "markdown":
        return _markdown(text)
    if kind == "rst":
        return _rst(text)
    if kind.startswith("code:"):
        return definitions(text, kind.removeprefix("code:")) or []
    return []


_OPENING = re.compile(r" {0,3}(```+(?=[^`]*$)|~~~+)")
_CLOSING = re.compile(r" {0,3}(```+|~~~+)[ \t]*$")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_LIST_ITEM = re.compile(r"[-+*>|<#]|\d+[.)][ \t]")
_ATTRIBUTES = re.compile(r"\s*\{\s*[#.][^}]*\}$")
MAX_TITLE = 200
"""Characters of a heading that are kept: every chunk of its section repeats them."""
LINES = 1 << 16
"""Characters whose lines are held at once."""
MAX_HEADING = 1_000
"""Characters of a heading in which attributes are looked for; the pattern takes time with their square."""


def _markdown(text: str) -> list[Heading]:
    """CommonMark 0.31, sections 4.2 to 4.5: ATX and setext headings outside fenced code and HTML comments."""
    headings: list[Heading] = []
    fence = ""
    comment = False
    at, before, before_at = 0, "", 0
    for line in _lines(text):
        bare = line.rstrip("\n")
        if fence:
            mark = _CLOSING.match(bare)
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif comment or bare.lstrip().startswith("<!--"):
            comment = "-->" not in bare
        elif mark := _OPENING.match(bare):
            fence = mark[1]
        elif (atx := _ATX.match(bare)) and (title := _without_closing(bare[atx.end() :])):
            headings.append(Heading(at, len(atx[1]), _title(title)))
        elif (under := _SETEXT.match(bare)) and _is_paragraph(before):
            headings.append(Heading(before_at, 1 if under[1][0] == "=" else 2, _title(before)))
        before, before_at = bare, at
        at += len(line)
    return headings


def _lines(text: str) -> Iterator[str]:
    """The lines as `str.splitlines` cuts them, ends included, without a list of all of them."""
    at = 0
    while at < len(text):
        end = text.find("\n", at + LINES) + 1 if at + LINES < len(text) else 0
        yield from text[at : end or len(text)].splitlines(keepends=True)
        at = end or len(text)


def _without_closing(heading: str) -> str:
    """Without the marks that may close it, as in ``## Title ##``."""
    text = heading.rstrip(" \t")
    bare = text.rstrip("#")
    return bare.rstrip(" \t") if bare.endswith((" ", "\t")) else text


def _title(text: str) -> str:
    text = text.strip()
    return (_ATTRIBUTES.sub("", text) if len(text) <= MAX_HEADING else text)[:MAX_TITLE]


def _is_paragraph(line: str) -> bool:
    return (
        bool(line.strip())
        and not line.startswith(("    ", "\t"))
        and not _LIST_ITEM.match(line.lstrip())
        and "|" not in line
    )


_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+\s*$")


def _rst(text: str) -> list[Heading]:
    """Levels are numbered as their adornments first appear (docutils, reStructuredText specification: Sections)."""
    headings: list[Heading] = []
    styles: list[tuple[str, bool]] = []
    lines = text.split("\n")
    at = 0
    for i, line in enumerate(lines[:-1]):
        below = lines[i + 1]
        if line.strip() and not _ADORNMENT.match(line) and _ADORNMENT.match(below) and len(below) >= len(line.rstrip()):
            over = i > 0 and lines[i - 1].strip() == below.strip()
            if over or not line.startswith(" "):
                style = (below[0], over)
                if style not in styles:
                    styles.append(style)
                start = at - len(lines[i - 1]) - 1 if over else at
                headings.append(Heading(start, styles.index(style) + 1, _title(line)))
        at += len(line) + 1
    return headings


_DEFINITION = re.compile(
    r"(function|method|class|struct|enum|trait|interface|impl|mod|module|namespace|type|record)"
    r"(_alias)?_(definition|declaration|item|specifier|spec)$|internal_module$"
)


MAX_LEVEL = 30
"""Deeper definitions are generated code, and every level is part of every path."""
MAX_ERRORS, MAX_TREE_DEPTH = 5_000, 5_000
"""Of what a grammar makes of a text: errors with what stands in them, and levels. Beyond, the text is no source of that
language, and cutting it along the grammar takes as long as finding that out."""


def _defined(node: Any) -> str:
    """The name that `node` defines, or nothing. A struct that is only mentioned has no body."""
    if not _DEFINITION.match(node.type):
        return ""
    if node.type.endswith("_specifier") and node.child_by_field_name("body") is None:
        return ""
    name = node.child_by_field_name("name")
    if name is None and node.type == "impl_item":
        name = node.child_by_field_name("type")
    declarator = node.child_by_field_name("declarator")
    while name is None and declarator is not None:  # C and C++ wrap the name in what it returns
        inner = declarator.child_by_field_name("declarator")
        name = declarator if inner is None else None
        declarator = inner
    return (name.text or b"").decode("utf-8", "replace")[:MAX_TITLE] if name is not None else ""


def definitions(text: str, language: str) -> list[Heading] | None:
    """Named definitions, nested as the grammar nests them; None for text that the grammar makes nothing of."""
    grammar = language_of(language)
    if grammar is None:
        return []
    import tree_sitter

    data = text.encode("utf-8", "replace")
    root = tree_sitter.Parser(tree_sitter.Language(grammar)).parse(data).root_node
    found: list[tuple[int, int, int, str]] = []
    """Start and end in bytes, level and name."""
    errors = 0
    stack = [(root, 1, 0)]
    while stack:
        node, level, depth = stack.pop()
        errors += 1 + node.child_count if node.is_error else 0
        if errors > MAX_ERRORS or depth > MAX_TREE_DEPTH:
            return None
        if level <= MAX_LEVEL and (name := _defined(node)):
            start = node.parent if node.parent and node.parent.type == "decorated_definition" else node
            found.append((start.start_byte, node.end_byte, level, name))
            level += 1
        stack.extend((child, level, depth + 1) for child in reversed(node.children))
    at = _characters(data, {place for begin, end, _, _ in found for place in (begin, end)})
    return [Heading(at[begin], level, name, at[end]) for begin, end, level, name in found]


def _characters(data: bytes, places: Collection[int]) -> dict[int, int]:
    """For each of these places in UTF-8 how many characters stand before it, in one pass."""
    if data.isascii():
        return {place: place for place in places}
    before, at = {}, 0
    characters = 0
    for place in sorted(places):
        characters += len(data[at:place].decode("utf-8", "ignore"))
        before[place], at = characters, place
    return before
