"""HTML pages: their main content as Markdown-like text, each line tied to its line in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.html_text import extract

SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
_CHARSET = re.compile(rb"""<meta[^>]*charset=["']?([\w-]+)""", re.IGNORECASE)


def read(source: SourceFile) -> Iterator[Document]:
    text = _declared(source.data) or source.text()
    title, lines = extract(text)
    metadata = {"title": title} if title else {}
    yield Document(
        source.id, source.id, "\n".join(lines.text), "markdown", metadata=metadata, source_lines=lines.numbers
    )


def _declared(data: bytes) -> str:
    """The text in the encoding that the page names, if it is true of every byte."""
    found = _CHARSET.search(data[:2048])
    try:
        return data.decode(found[1].decode("ascii")) if found else ""
    except (UnicodeDecodeError, LookupError):
        return ""
