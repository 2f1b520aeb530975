"""Source code, cut along the definitions of its grammar; its path is part of what is searched.

The definitions are found here, where reading can be ended: there is source over which a grammar takes hours.
"""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.languages import LANGUAGES, WITHOUT_GRAMMAR
from embassay.ingest.outline import definitions

SUFFIXES = frozenset(LANGUAGES) | WITHOUT_GRAMMAR


def read(source: SourceFile) -> Iterator[Document]:
    suffix = source.file.suffix.lower()
    language = LANGUAGES.get(suffix, suffix[1:])
    text = source.text()
    headings = definitions(text, language)
    kind = "text" if headings is None else f"code:{language}"
    yield Document(source.id, source.id, text, kind, title=source.id, headings=headings or ())
