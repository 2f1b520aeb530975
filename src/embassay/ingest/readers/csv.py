"""CSV and TSV with a header: one document a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._records import document

SUFFIXES = frozenset({".csv", ".tsv"})
BOUNDED = True
MAX_FIELD = 16_000_000
"""Characters in a field; Python's own limit of 131,072 is below what people keep in spreadsheets."""
MAX_COLUMNS = 10_000


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    text = source.text()
    csv.field_size_limit(MAX_FIELD)
    rows = csv.reader(_lines(text), delimiter=_delimiter(source, text))
    try:
        names = next((row for row in rows if row), [])
        if len(names) > MAX_COLUMNS:
            raise ReadError(f"{len(names):,} columns, the limit is {MAX_COLUMNS:,}")
        start = rows.line_num + 1
        for row in rows:
            if row:
                yield document(source, dict(zip(names, row, strict=False)), start)
            start = rows.line_num + 1
    except csv.Error as error:
        raise ReadError(f"line {rows.line_num} is not CSV: {error}") from error


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends. Raises ReadError for one that is longer than any field may be."""
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if end - at > MAX_FIELD:
            raise ReadError(f"a line of {end - at:,} characters, the limit is {MAX_FIELD:,}")
        yield text[at:end]
        at = end


def _delimiter(source: SourceFile, text: str) -> str:
    if source.file.suffix.lower() == ".tsv":
        return "\t"
    header = next(_lines(text), "")
    return max(",;\t|", key=header.count)
