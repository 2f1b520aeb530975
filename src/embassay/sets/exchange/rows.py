"""Chunks as the columns of an export, and sources as the lines of its documents; and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from embassay import jsontext
from embassay.errors import ReadError
from embassay.sets.state import SourceRow
from embassay.types import Chunk, Record

COLUMNS: dict[str, type] = {
    "key": str,
    "document": str,
    "path": str,
    "section": str,
    "text": str,
    "body_at": int,
    "first_line": int,
    "last_line": int,
    "start": int,
    "end": int,
    "tokens": int,
    "truncated": bool,
    "metadata": str,
}
"""Plain columns of an export. ``text`` is what the vector was made of: the body of the chunk, which begins at character
``body_at``, below its line of context. ``metadata`` is an object in JSON."""


def columns_of(chunks: Sequence[Chunk]) -> dict[str, list[Any]]:
    """The columns of some chunks."""
    rows = [
        (
            *(c.key, c.document, c.path, c.section, c.indexed, c.body_at, *c.lines, *c.span, c.tokens, c.truncated),
            jsontext.dumps(c.metadata),
        )
        for c in chunks
    ]
    return {name: list(column) for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True)}


def chunks_of(columns: Mapping[str, Sequence[Any]], first: int) -> Iterator[Chunk]:
    """The chunks of some columns; `first` is the number of the first row. Raises ReadError for what is none."""
    for at, row in enumerate(zip(*(columns[name] for name in COLUMNS), strict=True), first):
        if not all(type(value) is kind for value, kind in zip(row, COLUMNS.values(), strict=True)):
            raise ReadError(f"row {at:,} of the export is damaged: a value has not the type that its column has")
        key, document, path, section, text, body_at, line, last_line, start, end, tokens, truncated, said = row
        metadata = _object(said, at)
        yield Chunk(
            key, document, path, section, text, body_at, (line, last_line), (start, end), tokens, truncated, metadata
        )


def line_of(row: SourceRow, record: Record | None) -> str:
    """A source as a line of JSON, with what it says where it is a record."""
    said: dict[str, Any] = asdict(row)
    if record is not None:
        said["record"] = {"text": record.text, "title": record.title, "metadata": record.metadata}
    return jsontext.dumps(said) + "\n"


def source_of(line: str, number: int) -> tuple[SourceRow, Record | None]:
    """The source of a line. Raises ReadError for what is none."""
    try:
        said = jsontext.loads(line)
        row = SourceRow(**{field.name: said[field.name] for field in fields(SourceRow)})
        record = None
        if row.is_record:
            words = said["record"]
            record = Record(row.path, words["text"], words["title"], dict(words["metadata"]))
            if not isinstance(record.text, str) or not isinstance(record.title, str):
                raise TypeError("text and title are strings")
        for field in fields(SourceRow):
            if type(getattr(row, field.name)).__name__ != field.type:
                raise TypeError(f"{field.name} is no {field.type}")
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(f"line {number:,} of the documents is damaged: {type(error).__name__}: {error}") from error
    return row, record


def _object(said: str, at: int) -> dict[str, Any]:
    try:
        made = jsontext.loads(said)
    except ValueError as error:
        raise ReadError(f"row {at:,} of the export is damaged: its metadata is no JSON: {error}") from error
    if not isinstance(made, dict):
        raise ReadError(f"row {at:,} of the export is damaged: its metadata is no object")
    return made
