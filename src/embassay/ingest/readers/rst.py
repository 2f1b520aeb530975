"""reStructuredText."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, Source

SUFFIXES = frozenset({".rst", ".rest"})


def read(source: Source) -> Iterator[Document]:
    yield Document(source.id, source.id, source.text(), "rst")
