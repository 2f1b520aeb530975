"""Spreadsheets (Excel and OpenDocument): a document for each sheet, a paragraph for each row, hidden sheets included.

A row is told as ``name: value`` with the names of the header, so that each says what it is wherever the sheet is cut.
Formulas are told by their results. The lines of a hit are the rows of the sheet.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from typing import Any

from embassay.ingest.base import Document, Read, ReadError, SourceFile
from embassay.ingest.decode import looks_binary, with_line_ends
from embassay.ingest.readers._archive import ZIPPED, opened
from embassay.ingest.readers._content import read_as, suffix_of

SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xltx", ".xltm", ".xls", ".ods"})
TEXT = ".xls"
"""The suffix under which programs export pages and tables in text files, because Excel opens them."""
MAX_CELLS = 5_000_000
"""Of a sheet, empty ones among them: one value far from the others makes a sheet of any size."""
MAX_NAMED = 200_000
"""Cells of a sheet up to which each value is told with its name; in larger ones the names stand once, at the head."""
MAX_NAME = 100
"""Characters of a cell that may be the name of a column; a longer one is text."""
MAX_BANNER = 20
"""Rows above a header in which it is looked for."""

_YEAR = re.compile(r"(?:19|20)\d\d")
Row = tuple[int, list[str]]
"""The number of a row, counted from 1, and the texts of its cells."""


def read(source: SourceFile) -> Iterator[Read]:
    is_text = source.file.suffix.lower() == TEXT and not looks_binary(source.data)
    if kind := suffix_of(source.data) or (".csv" if is_text else ""):
        yield from read_as(kind, source)
        return
    if source.data.startswith(ZIPPED):
        with opened(source.data, "spreadsheet") as archive:
            archive.check()
    with _Workbook(source.data) as workbook:
        for name in workbook.names:
            rows = workbook.rows(name)
            if isinstance(rows, ReadError):
                yield rows
            elif rows:
                yield _document(source, name, rows)


class _Workbook:
    """The sheets of a file. What the library raises, a panic of its Rust code included, is made a ReadError."""

    def __init__(self, data: bytes) -> None:
        import python_calamine

        try:
            self._book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        except python_calamine.PasswordError as error:
            raise ReadError("encrypted: it needs a password") from error
        except BaseException as error:
            raise _translated(error, "not a readable spreadsheet") from error
        self.names: list[str] = self._book.sheet_names

    def rows(self, name: str) -> list[Row] | ReadError:
        """The rows that hold anything. A merged cell is told in each row that it covers."""
        try:
            sheet = self._book.get_sheet_by_name(name)
            if sheet.start is None or sheet.end is None:
                return []
            if (sheet.end[0] + 1) * sheet.width > MAX_CELLS:
                return ReadError(f"sheet {name!r} spans more than {MAX_CELLS:,} cells")
            rows = [(number, [_said(value) for value in row]) for number, row in enumerate(sheet.iter_rows(), 1)]
            _spread(rows, sheet.merged_cell_ranges or (), sheet.start[1])
        except BaseException as error:
            return _translated(error, f"sheet {name!r} cannot be read")
        return [(number, cells) for number, cells in rows if any(cells)]

    def __enter__(self) -> _Workbook:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()


def _translated(error: BaseException, what: str) -> ReadError:
    """Raises what is no fault of the file, as Ctrl-C; a panic is no Exception, so that it is caught here."""
    if isinstance(error, MemoryError) or not (isinstance(error, Exception) or "Panic" in type(error).__name__):
        raise error
    return ReadError(f"{what}: {error}")


def _spread(rows: Sequence[Row], merged: Sequence[Any], first_column: int) -> None:
    """Tell merged cells in each row that they cover."""
    for (top, column), (bottom, _) in merged:
        at = column - first_column
        for _, cells in rows[top + 1 : bottom + 1]:
            if 0 <= at < len(cells):
                cells[at] = rows[top][1][at]


def _document(source: SourceFile, name: str, rows: list[Row]) -> Document:
    start, names = _header(rows)
    named = bool(names) and sum(len(cells) for _, cells in rows) <= MAX_NAMED
    text: list[str] = []
    lines: list[int] = []
    for at, (number, cells) in enumerate(rows):
        said = _record(names, cells) if named and at >= start else [" | ".join(cell for cell in cells if cell)]
        for line in (*said, ""):
            text += line.split("\n")
            lines += [number] * (line.count("\n") + 1)
    return Document(
        f"{source.id}#{name}",
        source.id,
        "\n".join(text),
        "text",
        title=name,
        metadata={"sheet": name},
        source_lines=lines,
    )


def _header(rows: list[Row]) -> tuple[int, list[str]]:
    """How many rows stand in front of the first record, and the names of the columns; none where there is no header.

    A header is the first row with several texts, all short, unlike, and none of them a number. What stands above it
    is a banner: rows with fewer cells.
    """
    for at, (_, cells) in enumerate(rows[:MAX_BANNER]):
        filled = [cell for cell in cells if cell]
        below = max((sum(map(bool, row)) for _, row in rows[at + 1 : at + 4]), default=0)
        if len(filled) < 2 or 2 * len(filled) < below:
            continue
        following = rows[at + 1][1] if at + 1 < len(rows) else []
        proper = all(_names_column(cell, under) for cell, under in zip_longest(cells, following, fillvalue="") if cell)
        return (at + 1, cells) if proper and below and len(set(filled)) == len(filled) else (0, [])
    return 0, []


def _record(names: Sequence[str], cells: Sequence[str]) -> list[str]:
    return [
        f"{' '.join(name.split())}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell
    ]


def _names_column(cell: str, under: str) -> bool:
    """Whether a cell may name the column in which `under` comes next: a short text, or a year above no year."""
    if _YEAR.fullmatch(cell):
        return not _YEAR.fullmatch(under)
    return len(cell) <= MAX_NAME and not _is_number(cell)


def _is_number(cell: str) -> bool:
    return bool(cell) and not any(c.isalpha() for c in cell)


def _said(value: object) -> str:
    """A value as text: dates as ISO 8601 has them, whole numbers without a fraction."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            return value.isoformat(sep=" ", timespec="minutes" if not value.second else "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return with_line_ends(str(value)).strip()
