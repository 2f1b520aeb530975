"""Plain text, and every file whose suffix no other reader claims."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, Source

SUFFIXES = frozenset({".txt", ".text", ".log", ".org", ".adoc"})


def read(source: Source) -> Iterator[Document]:
    yield Document(source.id, source.id, source.text(), "text")
