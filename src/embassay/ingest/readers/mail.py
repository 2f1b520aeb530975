"""E-mail (.eml) and pages saved as such (.mht): the body, what it forwards, and attached files that can be read."""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Read, SourceFile
from embassay.ingest.readers._messages import documents, parsed

SUFFIXES = frozenset({".eml", ".mht", ".mhtml"})


def read(source: SourceFile) -> Iterator[Read]:
    yield from documents(parsed(source.data), source.id, source.id)
