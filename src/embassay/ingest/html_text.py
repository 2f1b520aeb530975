"""The content of an HTML page as Markdown-like text, with the line of the page that each line comes from.

Readers share it: that of web pages, that of e-mails with an HTML body, and that of books.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from embassay.errors import ReadError
from embassay.ingest.html_content import BLOCKS, Element, furniture, hidden, is_text, words
from embassay.text import encodable

MAX_ATTRIBUTES = 20_000
"""Of one element, each of which the parser holds against all others."""
MAX_FRAMES = 2
"""Levels of pages that are written inside the attribute of a frame."""
ENOUGH = 3
"""Words of menus and footers that may be left out for each word that is kept."""
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{20000,}")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_FILE_NAME = re.compile(r"\S+\.\w{2,4}$|https?:")
DESCRIBED = frozenset("area img input".split())
"""Elements for which an attribute stands."""
SPACED = frozenset(
    "audio button canvas input label meter object optgroup option output progress select textarea video".split()
)
"""Elements that stand in a line, with a gap on either side."""


def extract(text: str) -> tuple[str, Lines]:
    """The title of a page and its lines. Raises ReadError where elements nest deeper than the parser goes.

    Menus, page footers and hidden elements are left out, but not where they are most of what the page says. What is no
    HTML at all has no lines.
    """
    root = _parsed(text)
    if root is None:
        return "", Lines()
    title = " ".join((root.findtext(".//title") or "").split())
    body = root.find("body")
    body = root if body is None else body
    lines = _content(body)
    lines.needs_scripts = root.find(".//script") is not None and lines.words() <= _without_scripts(body)
    if not lines.text:
        lines.say(title, *root.xpath("//meta[@name='description' or @property='og:description']/@content")[:1])
    return title, lines


def _without_scripts(body: Element) -> int:
    """Words that are shown only where scripts are not run."""
    return sum(len(element.text_content().split()) for element in body.iter("noscript"))


def _parsed(text: str) -> Element | None:
    from lxml import etree, html

    if any(len(_QUOTED.sub(" ", tag[0]).split()) > MAX_ATTRIBUTES for tag in _LONG_TAG.finditer(text)):
        raise ReadError(f"an element with more than {MAX_ATTRIBUTES:,} attributes")
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = html.document_fromstring(encodable(text).encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):  # comments only, or nothing at all
        return None
    if any("xcessive depth" in entry.message for entry in parser.error_log):
        raise ReadError("elements nest too deeply to be read")
    return root


def _content(body: Element) -> Lines:
    """The lines without furniture and hidden elements; with the one, or with the other, where it outweighs the rest."""
    aside, unseen = furniture(body), hidden(body)
    lines = _lines(body, aside | unseen)
    if words(element for element in lines.left_out if element not in unseen) > ENOUGH * lines.words():
        lines = _lines(body, unseen)
        aside = set()
    if words(element for element in lines.left_out if element in unseen) > lines.words():
        lines = _lines(body, aside)
    return lines


def _lines(body: Element, left_out: AbstractSet[Element]) -> Lines:
    lines = Lines(left_out)
    lines.add(body)
    lines.flush()
    return lines


class Lines:
    """Collects the lines of a page, block after block.

    The tree is walked event by event, because pages nest deeper than Python recurses.
    """

    def __init__(self, left_out: AbstractSet[Element] = frozenset(), frames: int = 0) -> None:
        self._out = left_out
        self._frames = frames
        self.left_out: list[Element] = []
        """Elements of those that were met; they hold text that is not in the lines."""
        self.needs_scripts = False
        """Whether the page shows nothing before its scripts have run, which they do not here."""
        self.text: list[str] = []
        self.numbers: list[int] = []
        """For each line of `text` the line of the page, counted from 1."""
        self._parts: list[str] = []
        self._line = 1
        self._prefix = ""
        self._verbatim = 0
        self._row: Element | None = None
        """The row of a table that becomes one line, its cells between bars."""

    def add(self, root: Element) -> None:
        """Take in all that `root` (an lxml element) holds; `flush` ends its last block."""
        from lxml import etree

        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        passed_over: list[Element] = []
        for event, element in walk:
            if event == "start":
                if element in self._out or not is_text(element):
                    passed_over.append(element)
                    walk.skip_subtree()
                else:
                    self._enter(element)
                    self._say(element.text, element)
                continue
            if event == "end" and passed_over and element is passed_over[-1]:
                if passed_over.pop() in self._out:
                    self.left_out.append(element)
            elif event == "end":
                self._leave(element)
            if element is not root:
                self._say(element.tail, element)

    def say(self, *paragraphs: str) -> None:
        """Add paragraphs that stand nowhere in the body of the page."""
        for paragraph in filter(None, map(str.strip, paragraphs)):
            self._parts.append(paragraph)
            self.flush()

    def words(self) -> int:
        """Number of words in the lines so far."""
        return sum(len(line.split()) for line in self.text)

    def flush(self) -> None:
        """End the present block: what was said since the last one becomes a line, or lines where it is verbatim."""
        said = "".join(self._parts)
        self._parts = []
        if not said.strip(" |\t\n\r\f\v"):
            return
        if self._verbatim:
            start = self._line + len(said) - len(said.lstrip("\n"))
            rows = ["```", *said.strip("\n").split("\n"), "```"]
            numbers = [start, *range(start, start + len(rows) - 2), start + len(rows) - 3]
        else:
            row = " ".join(said.split())
            rows = [self._prefix + row if self._prefix or not row.startswith("#") else "\\" + row]
            numbers = [self._line]
            self._prefix = ""
        self.text += [*rows, ""]
        self.numbers += [*numbers, numbers[-1]]

    def _enter(self, element: Element) -> None:
        tag = element.tag
        if self._row is not None and tag in ("td", "th", "br"):
            self._parts.append(" | " if tag != "br" and element.getprevious() is not None else " ")
        elif tag in BLOCKS:
            self._begin(element)
        elif tag in SPACED or _is_reference(element):
            self._parts.append(" ")
        if tag in DESCRIBED and (described := _described(element)):
            self._say(f" {described} ", element)
        elif tag == "iframe" and self._frames < MAX_FRAMES:
            self._say_frame(element)

    def _begin(self, element: Element) -> None:
        tag = element.tag
        if tag == "br" and self._prefix.startswith("#"):
            self._parts.append(" ")
            return
        self.flush()
        self._line = element.sourceline or self._line
        if level := _level(tag):
            self._prefix = "#" * level + " "
        elif tag == "li":
            self._prefix = "- "
        elif tag == "tr" and not self._verbatim and _is_one_line(element):
            self._row = element
        self._verbatim += tag == "pre"

    def _leave(self, element: Element) -> None:
        if element.tag in BLOCKS and element.tag != "br" and (self._row is None or element is self._row):
            self._row = None
            self.flush()
            if element.tag == "li" or _level(element.tag):
                self._prefix = ""
            self._verbatim -= element.tag == "pre"
        elif element.tag in SPACED:
            self._parts.append(" ")

    def _say(self, text: str | None, element: Element) -> None:
        if text:
            if not self._parts and text.strip():
                self._line = max(self._line, element.sourceline or 1)
            self._parts.append(text)

    def _say_frame(self, frame: Element) -> None:
        """The page that a frame holds in its attribute ``srcdoc``; all of it stands in the line of the frame."""
        root = _parsed(frame.get("srcdoc", "")) if frame.get("srcdoc") else None
        if root is None:
            return
        self.flush()
        inner = Lines(hidden(root), self._frames + 1)
        inner.add(root)
        inner.flush()
        self.text += inner.text
        self.numbers += [frame.sourceline or self._line] * len(inner.text)


def _is_reference(element: Element) -> bool:
    """Whether this is the mark of a note, which stands right behind a word and is no part of it."""
    if element.tag != "a" or not element.get("href", "").startswith("#"):
        return False
    return bool(element.getparent().tag == "sup" or (len(element) and element[0].tag == "sup"))


def _level(tag: str) -> int:
    """Of a heading; 0 for any other element."""
    return int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else 0


def _is_one_line(row: Element) -> bool:
    """Whether no cell of the row holds blocks, as those of tables do that lay out a page."""
    return not any(inner.tag in BLOCKS and inner.tag not in ("td", "th", "br") for inner in row.iterdescendants())


def _described(element: Element) -> str | None:
    """What stands for a picture, or in a field or on a button of a form."""
    if element.tag in ("img", "area"):
        alt = " ".join(element.get("alt", "").split())
        return alt if alt and not _FILE_NAME.match(alt) else None
    if element.tag == "input" and element.get("type") not in ("hidden", "checkbox", "radio", "password"):
        return next(filter(None, map(element.get, ("value", "placeholder", "alt"))), None)
    return None
