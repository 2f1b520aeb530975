"""Tables in files: CSV, TSV or JSON lines, read by the names of their columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import JudgedSetError
from embassay.evaluate.data.lines import MAX_LINE, bounded_lines, json_lines, malformed

if TYPE_CHECKING:
    from _csv import Reader

_OTHER_NAMES = {"label": ("category", "intent", "class"), "text": ("sentence",), "score": ("similarity",)}
"""What published data sets call our columns."""


def read_table(file: Path, columns: tuple[str, ...], expected: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells in the order of `columns`) of each row.

    A header may name the columns in any order; without one they are the first columns of the file. Raises
    JudgedSetError with file and line, which says what was `expected`.
    """
    if file.suffix in (".jsonl", ".ndjson"):
        yield from _objects(file, columns, expected)
        return
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            tabs = "\t" in stream.readline(MAX_LINE)  # between tabs a quote is a quote
            stream.seek(0)
            lines = (line for _, line in bounded_lines(file, stream))
            reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines)
            yield from _rows(file, reader, columns, expected)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise JudgedSetError(f"{file} cannot be read: {reason}.") from error


def _objects(file: Path, columns: tuple[str, ...], expected: str) -> Iterator[tuple[int, list[str]]]:
    for number, found in json_lines(file, expected):
        cells = [next((found[name] for name in _names(column) if name in found), None) for column in columns]
        if None in cells:
            raise malformed(file, number, f"an object with {', '.join(columns)}", found)
        yield number, [str(cell) for cell in cells]


def _rows(file: Path, reader: Reader, columns: tuple[str, ...], expected: str) -> Iterator[tuple[int, list[str]]]:
    order = list(range(len(columns)))
    for at, row in enumerate(reader):
        if not row:
            continue
        if at == 0 and (header := _header(row, columns)):
            order = header
            continue
        if len(row) <= max(order) or not all(row[column].strip() for column in order):
            raise malformed(file, reader.line_num, expected, " | ".join(row))
        yield reader.line_num, [row[column] for column in order]


def _header(row: Sequence[str], columns: tuple[str, ...]) -> list[int]:
    """Where each of `columns` stands, if the row names all of them; otherwise an empty list."""
    lower = [cell.strip().lower() for cell in row]
    found = [next((lower.index(name) for name in _names(column) if name in lower), -1) for column in columns]
    return [] if -1 in found else found


def _names(column: str) -> tuple[str, ...]:
    return (column, *_OTHER_NAMES.get(column, ()))
