"""Plain text, and every file whose suffix no other reader claims."""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.embedded_data import without_embedded_data

SUFFIXES = frozenset({".txt", ".text", ".log"})
BOUNDED = True
_COLOURS = re.compile(r"\x1b\[[0-9;:?]{0,40}[A-Za-z]|\x1b\][^\x07\x1b\n]{0,400}(?:\x07|\x1b\\\\)|\x1b[()][A-Z0-9]")
"""What a terminal shows as colours, places and titles (ECMA-48). It stands right before words, as if it were theirs."""


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    yield Document(source.id, source.id, without_embedded_data(text), "text")
