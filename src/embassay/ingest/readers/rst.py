"""reStructuredText."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.embedded_data import without_embedded_data

SUFFIXES = frozenset({".rst", ".rest"})
BOUNDED = True


def read(source: SourceFile) -> Iterator[Document]:
    yield Document(source.id, source.id, without_embedded_data(source.text()), "rst")
