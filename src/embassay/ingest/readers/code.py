"""Source code, cut along the definitions of its grammar; its path is part of what is searched."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.languages import LANGUAGES, WITHOUT_GRAMMAR

SUFFIXES = frozenset(LANGUAGES) | WITHOUT_GRAMMAR


def read(source: SourceFile) -> Iterator[Document]:
    suffix = source.file.suffix.lower()
    kind = f"code:{LANGUAGES.get(suffix, suffix[1:])}"
    yield Document(source.id, source.id, source.text(), kind, title=source.id)
