"""HTML pages: their content as Markdown-like text, each line tied to its line in the file."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, LeftOut, SourceFile
from embassay.ingest.charset import decoded_page
from embassay.ingest.html_text import extract

SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xht"})


def read(source: SourceFile) -> Iterator[Document | LeftOut]:
    title, lines = extract(decoded_page(source.data))
    metadata = {"title": title} if title else {}
    yield Document(
        source.id, source.id, "\n".join(lines.text), "markdown", metadata=metadata, source_lines=lines.numbers
    )
    if lines.needs_scripts:
        yield LeftOut("the page is made by scripts, which are not run: save what a browser shows")
