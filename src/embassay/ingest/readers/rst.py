"""reStructuredText."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile

SUFFIXES = frozenset({".rst", ".rest"})
BOUNDED = True


def read(source: SourceFile) -> Iterator[Document]:
    yield Document(source.id, source.id, source.text(), "rst")
