"""Plain text, and every file whose suffix no other reader claims."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.embedded_data import without_embedded_data, without_terminal_codes

SUFFIXES = frozenset({".txt", ".text", ".log"})
BOUNDED = True


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    yield Document(source.id, source.id, without_embedded_data(without_terminal_codes(text)), "text")
