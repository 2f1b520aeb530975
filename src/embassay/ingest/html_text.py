"""The main content of an HTML page as Markdown-like text, with the line of the page that each line comes from.

Readers share it: that of web pages, and that of e-mails with an HTML body.
"""

from __future__ import annotations

import re
from typing import Any

from embassay.errors import ReadError
from embassay.text import encodable

NOISE = ("script", "style", "noscript", "template", "svg", "nav", "footer")
HIDDEN = "//*[@hidden or @aria-hidden='true']"
OUT = "embassay-out"
"""What hidden elements are renamed to, so that they can be taken out with the others in one pass."""
MAX_ATTRIBUTES = 20_000
"""Of one element, each of which the parser holds against all others."""
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{20000,}")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
BLOCKS = frozenset(
    "address article aside blockquote body dd details div dl dt figcaption figure form h1 h2 h3 h4 h5 h6 header hr li "
    "main ol p pre section summary table tbody td tfoot th thead tr ul br".split()
)
"""Elements that begin a line of their own."""


def extract(text: str) -> tuple[str, Lines]:
    """The title of a page and its lines. Raises ReadError where elements nest deeper than the parser goes.

    What is no HTML at all has no lines.
    """
    from lxml import etree, html

    if any(len(_QUOTED.sub(" ", tag[0]).split()) > MAX_ATTRIBUTES for tag in _LONG_TAG.finditer(text)):
        raise ReadError(f"an element with more than {MAX_ATTRIBUTES:,} attributes")
    lines = Lines()
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    try:
        root = html.document_fromstring(encodable(text).encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):  # comments only, or nothing at all
        return "", lines
    if any("xcessive depth" in entry.message for entry in parser.error_log):
        raise ReadError("elements nest too deeply to be read")
    title = " ".join((root.findtext(".//title") or "").split())
    for element in root.xpath(HIDDEN):
        if element.tag not in ("html", "body"):
            element.tag = OUT
    etree.strip_elements(root, OUT, *NOISE, with_tail=False)
    body = root.find("body")
    lines.add(_content(root if body is None else body))
    lines.flush()
    return title, lines


def _content(body: Any) -> Any:
    """The one main element, or the one article that holds most of the text; otherwise everything."""
    main = body.xpath(".//main|.//*[@role='main']")
    if main:
        return main[0] if len(main) == 1 else body
    articles = body.xpath(".//article")
    mostly = len(articles) == 1 and 2 * len(articles[0].text_content()) > len(body.text_content())
    return articles[0] if mostly else body


class Lines:
    """Collects the lines of a page, block after block.

    The tree is walked with a stack of its own, because pages nest deeper than Python recurses.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self.numbers: list[int] = []
        """For each line of `text` the line of the page, counted from 1."""
        self._parts: list[str] = []
        self._line = 1
        self._prefix = ""
        self._verbatim = 0

    def add(self, root: Any) -> None:
        """Take in all that `root` (an lxml element) holds; `flush` ends its last block."""
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            if leaving:
                self._leave(element)
                if element is not root:
                    self._say(element.tail, element)
            elif not isinstance(element.tag, str):
                self._say(element.tail, element)
            else:
                self._enter(element)
                self._say(element.text, element)
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))

    def flush(self) -> None:
        """End the present block: what was said since the last one becomes a line, or lines where it is verbatim."""
        said = "".join(self._parts)
        self._parts = []
        if not said.strip():
            return
        if self._verbatim:
            start = self._line + len(said) - len(said.lstrip("\n"))
            rows = ["```", *said.strip("\n").split("\n"), "```"]
            numbers = [start, *range(start, start + len(rows) - 2), start + len(rows) - 3]
        else:
            row = " ".join(said.split())
            rows = [self._prefix + row if self._prefix or not row.startswith("#") else "\\" + row]
            numbers = [self._line]
        self.text += [*rows, ""]
        self.numbers += [*numbers, numbers[-1]]

    def _enter(self, element: Any) -> None:
        if element.tag not in BLOCKS:
            return
        self.flush()
        self._line = element.sourceline or self._line
        tag = element.tag
        self._prefix = "#" * int(tag[1]) + " " if tag[0] == "h" and tag[1:].isdigit() else "- " if tag == "li" else ""
        self._verbatim += tag == "pre"

    def _leave(self, element: Any) -> None:
        if element.tag in BLOCKS:
            self.flush()
            self._prefix = ""
            self._verbatim -= element.tag == "pre"

    def _say(self, text: str | None, element: Any) -> None:
        if text:
            if not self._parts and text.strip():
                self._line = max(self._line, element.sourceline or 1)
            self._parts.append(text)
