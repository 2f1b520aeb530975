"""HTML pages: their content as Markdown-like text, each line tied to its line in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, LeftOut, SourceFile
from embassay.ingest.charset import declared
from embassay.ingest.html_text import extract

SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xht"})
HEAD = 4_096
"""Bytes in which a page may name its encoding."""
_CHARSET = re.compile(rb"""<meta[^>]*[\s;"']charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)""")
_WIDE = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""How a page in UTF-16 begins that has no byte-order mark."""


def read(source: SourceFile) -> Iterator[Document | LeftOut]:
    title, lines = extract(decoded(source))
    metadata = {"title": title} if title else {}
    yield Document(
        source.id, source.id, "\n".join(lines.text), "markdown", metadata=metadata, source_lines=lines.numbers
    )
    if lines.needs_scripts:
        yield LeftOut("the page is made by scripts, which are not run: save what a browser shows")


def decoded(source: SourceFile) -> str:
    """The page in the encoding that it names, if its bytes bear that out; else in the one that they look like."""
    head = source.data[:HEAD]
    if codec := _WIDE.get(head[:2]):
        return source.data.decode(codec, "replace")
    found = _XML.match(head) or _CHARSET.search(head)
    text = declared(source.data, found[1].decode("ascii", "replace"), in_markup=True) if found else None
    return source.text() if text is None else text
