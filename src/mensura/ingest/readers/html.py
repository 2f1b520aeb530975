"""HTML: the main content as Markdown-like text, each line tied to its line in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mensura.ingest.base import Document, ReadError, Source

SUFFIXES = frozenset({".html", ".htm", ".xhtml"})

NOISE = "//script|//style|//noscript|//template|//svg|//nav|//footer|//*[@hidden]|//*[@aria-hidden='true']"
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "br",
    ]
)


def read(source: Source) -> Iterator[Document]:
    from lxml import etree, html

    text = source.text()
    if not text.strip():
        yield Document(source.id, source.id, "", "markdown")
        return
    try:
        root = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise ReadError(f"not HTML: {error}") from error
    title = " ".join((root.findtext(".//title") or "").split())
    for element in root.xpath(NOISE):
        element.drop_tree()
    content = next(iter(root.xpath("//main|//*[@role='main']") or root.xpath("//article")), None)
    body = root.find("body")
    lines = _Lines()
    lines.add(content if content is not None else body if body is not None else root)
    lines.flush()
    metadata = {"title": title} if title else {}
    yield Document(
        source.id, source.id, "\n".join(lines.text), "markdown", metadata=metadata, source_lines=lines.numbers
    )


class _Lines:
    """Collects block after block; an explicit stack, because pages nest deeper than Python recurses."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.numbers: list[int] = []
        self._parts: list[str] = []
        self._line = 1
        self._prefix = ""
        self._verbatim = 0

    def add(self, root: Any) -> None:
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
        said = "".join(self._parts)
        self._parts = []
        rows = said.strip("\n").split("\n") if self._verbatim else [" ".join(said.split())]
        if not any(row.strip() for row in rows):
            return
        for offset, row in enumerate(rows):
            self.text.append(self._prefix + row)
            self.numbers.append(self._line + (offset if self._verbatim else 0))
        self.text.append("")
        self.numbers.append(self._line)

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
