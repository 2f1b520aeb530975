"""JSON lines: one document a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._records import document

SUFFIXES = frozenset({".jsonl", ".ndjson"})
STREAMS = True


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    with source.file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield ReadError(f"line {number} is not JSON: {error}")
                continue
            if isinstance(record, dict):
                yield document(source, record, number)
            else:
                yield ReadError(f"line {number}: expected an object, found {type(record).__name__}")
