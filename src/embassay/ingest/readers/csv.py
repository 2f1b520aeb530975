"""CSV and TSV with a header: one document a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._records import document

SUFFIXES = frozenset({".csv", ".tsv"})
MAX_FIELD = 16_000_000
"""Characters in a field; Python's own limit of 131,072 is below what people keep in spreadsheets."""


def read(source: SourceFile) -> Iterator[Document]:
    text = source.text()
    csv.field_size_limit(MAX_FIELD)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(source, text))
    try:
        start = rows.reader.line_num + 1 if rows.fieldnames else 1
        for row in rows:
            yield document(source, row, start if start > 1 else 2)
            start = rows.reader.line_num + 1
    except csv.Error as error:
        raise ReadError(f"line {rows.line_num} is not CSV: {error}") from error


def _delimiter(source: SourceFile, text: str) -> str:
    if source.file.suffix.lower() == ".tsv":
        return "\t"
    header = text.split("\n", 1)[0]
    return max(",;\t|", key=header.count)
