"""The rows of a table in a text file, whatever separates its cells and however it is quoted.

A file that keeps the rules of RFC 4180, or escapes with backslashes, is read by Python's own reader. One that breaks
them is cut here, so that a quotation mark which is never closed, or which is none, costs no rows: a quotation mark
quotes a cell only where another one ends that cell.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

from embassay.errors import ReadError
from embassay.ingest.decode import decode, marked_encoding, wide_encoding
from embassay.ingest.encodings import guessed

if TYPE_CHECKING:
    from _csv import Reader
    from io import RawIOBase

MAX_FIELD = 16_000_000
"""Characters in a field; Python's own limit of 131,072 is below what people keep in spreadsheets."""
DELIMITERS = ",;\t|"
NO_DELIMITER = "\x1f"
"""Separates the cells of a table of one column: U+001F, the unit separator, is in no text."""
HEAD = 1 << 18
"""Bytes that decide about the encoding of a table that is not held in memory."""
SAMPLE = 200
"""Rows that decide about the delimiter."""
_FOLLOWED_BY_END = re.compile(r" *(?:\n|\Z)")

TableRow = tuple[int, list[str]]
"""The line in which a row begins, counted from 1, and its cells."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written."""

    delimiter: str
    width: int
    """Cells that its rows have, but for exceptions."""


def form_of(text: str, at: int, preferred: str) -> TableForm:
    """How the table that begins at character `at` is written. `preferred` wins where it separates anything at all.

    A delimiter is held to be one where most rows have as many cells as the first one.
    """
    best, best_score = TableForm(NO_DELIMITER, 1), 0.0
    for delimiter in sorted(DELIMITERS, key=lambda d: d != preferred):
        rows, _ = first_rows(_cut(text, at, 1, TableForm(delimiter, 0)), SAMPLE)
        widths = [len(cells) for _, cells in rows if width_of(cells)]
        counts = Counter(width for width in widths if width > 1)
        if not counts or (delimiter != preferred and _is_prose(widths)):
            continue
        width, count = max(counts.items(), key=lambda item: (item[1], item[0]))
        if widths[0] == min(widths) > 1:  # a header, below which delimiters go unquoted
            width = widths[0]
        score = count / len(widths) + (0.5 if widths[0] > 1 else 0) + (1.0 if delimiter == preferred else 0)
        if score > best_score:
            best, best_score = TableForm(delimiter, width), score
    return best


def first_rows(rows: Iterator[TableRow], count: int) -> tuple[list[TableRow], ReadError | None]:
    """The first `count` rows, or those before a fault, and the fault: the rows before it can be read all the same."""
    first: list[TableRow] = []
    try:
        first.extend(islice(rows, count))
    except ReadError as error:
        return first, error
    return first, None


def _is_prose(widths: list[int]) -> bool:
    """Whether lines are cut into more and fewer pieces than the first one, and often into one: where commas stand."""
    below = widths[next((at for at, width in enumerate(widths) if width > 1), 0) :]
    return max(below) > below[0] and 4 * below.count(1) >= len(below)


def rows_of(text: str, at: int, line: int, form: TableForm) -> Iterator[TableRow]:
    """The rows of the table from character `at` on, which is in `line`; blank ones are left out.

    Raises ReadError for a line that is longer than any field may be.
    """
    csv.field_size_limit(MAX_FIELD)
    for escape in (None, "\\") if '"' in text else (None,):
        if form.delimiter != NO_DELIMITER and _keeps_the_rules(_reader(text, at, form, escape), form):
            return _read(_reader(text, at, form, escape), line)
    return (row for row in _cut(text, at, line, form) if any(cell.strip() for cell in row[1]))


def rows_in(lines: Iterator[str], line: int, form: TableForm) -> Iterator[TableRow]:
    """The rows of lines that are not held in memory, the first of which is `line` of its file; blank ones are left out.

    Raises ReadError for a cell that is longer than any may be, as behind a quotation mark that is never closed.
    """
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(lines, delimiter=form.delimiter)
    try:
        yield from _read(reader, line)
    except csv.Error as error:
        raise ReadError(f"behind line {line - 1 + reader.line_num:,} it is no table: {error}") from None


def decoded_lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a table that is not held in memory, in the encoding that its head looks like, ended by ``\\n``.

    Raises ReadError for a line that is longer than any field may be, and NotText for binary data.
    """
    buffered = BufferedReader(cast("RawIOBase", stream), HEAD)
    head = buffered.peek()[:HEAD]
    decode(head[: head.rfind(b"\n") + 1] or head)  # raises for what is no text
    with TextIOWrapper(buffered, _encoding(head), errors="replace") as text:
        while line := text.readline(MAX_FIELD):
            if len(line) == MAX_FIELD:
                raise ReadError(f"a line of more than {MAX_FIELD:,} characters")
            yield line


def _encoding(head: bytes) -> str:
    if name := marked_encoding(head) or wide_encoding(head):
        return name
    try:
        head[: head.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return guessed(head)
    return "utf-8"


def lines_of(text: str, at: int = 0) -> Iterator[str]:
    """The lines with their ends. Raises ReadError for one that is longer than any field may be."""
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if end - at > MAX_FIELD:
            raise ReadError(f"a line of {end - at:,} characters, the limit is {MAX_FIELD:,}")
        yield text[at:end]
        at = end


def _reader(text: str, at: int, form: TableForm, escape: str | None) -> Reader:
    """Python's own reader. Where a character escapes others, quotation marks are not doubled."""
    return csv.reader(
        lines_of(text, at), delimiter=form.delimiter, strict=True, escapechar=escape, doublequote=escape is None
    )


def _read(reader: Reader, line: int) -> Iterator[TableRow]:
    before = line - 1
    start = line
    for row in reader:
        if any(cell.strip() for cell in row):
            yield start, row
        start = before + reader.line_num + 1


def _keeps_the_rules(reader: Reader, form: TableForm) -> bool:
    """Whether Python's reader can be trusted with the table.

    It must find every quoted cell closed. Where a cell spans lines, all rows must have one width as well, and no cell
    may hold what looks like the next row.
    """
    before, spans, widths = 0, False, set()
    try:
        for row in reader:
            widths.add(len(row) or form.width)
            if reader.line_num > before + 1:
                spans = True
                if _holds_next_row(row, form):
                    return False
            before = reader.line_num
    except csv.Error:
        return False
    except ReadError:  # a line that is too long; `read` tells it when it comes to it
        pass
    return not spans or len(widths) == 1


def _holds_next_row(row: list[str], form: TableForm) -> bool:
    """Whether a cell goes on with a line that carries the number behind that of its own row."""
    if not row[0].strip().isdecimal() or len(row[0]) > 18:
        return False
    following = f"{int(row[0]) + 1}{form.delimiter}"
    return any(line.startswith(following) for cell in row[1:] for line in cell.split("\n")[1:])


def _cut(text: str, at: int, line: int, form: TableForm) -> Iterator[TableRow]:
    """The rows, each quotation mark taken for one only where it is closed."""
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - at > MAX_FIELD:
            raise ReadError(f"a line of {end - at:,} characters, the limit is {MAX_FIELD:,}")
        if text.find('"', at, end) < 0:
            yield line, text[at:end].split(form.delimiter)
            at, line = end + 1, line + 1
        else:
            cells, after = _Quoted(text, at, end, form).cells()
            yield line, cells
            line += text.count("\n", at, after) + 1
            at = after + 1


class _Quoted:
    """Cuts a row that holds quotation marks."""

    def __init__(self, text: str, start: int, end: int, form: TableForm) -> None:
        self._text, self._start, self._end, self._form = text, start, end, form
        self._last_close = text.rfind('"' + form.delimiter, start, end)
        """Of the line, so that it is not looked through again for each cell."""

    def cells(self) -> tuple[list[str], int]:
        """The cells, and where the last line of the row ends."""
        cells = []
        at = self._start
        while True:
            cell, at = self._cell(at)
            cells.append(cell)
            if at >= self._end:
                return cells, self._end
            at += len(self._form.delimiter)

    def _cell(self, at: int) -> tuple[str, int]:
        """The cell that begins at `at`, and where it ends."""
        opening = at
        while opening < self._end and self._text[opening] == " ":
            opening += 1
        if self._text.startswith('"', opening) and (close := self._close(opening)) >= 0:
            quoted = self._text[opening + 1 : close].replace('""', '"')
            return quoted, self._cell_end(close + 1)
        end = self._cell_end(at)
        return self._text[at:end], end

    def _cell_end(self, at: int) -> int:
        found = self._text.find(self._form.delimiter, at, self._end)
        return self._end if found < 0 else found

    def _close(self, opening: int) -> int:
        """Where the quotation mark is that closes the one at `opening`; -1 where none does."""
        found = self._text.find('"', opening + 1)
        while found >= 0 and self._text.startswith('"', found + 1):
            found = self._text.find('"', found + 2)
        if found < 0 or found - opening > MAX_FIELD:
            return self._close_in_line(opening)
        if found < self._end:
            return found if self._ends_cell(found) else self._close_in_line(opening)
        if not self._ends_cell(found) or self._next_line_is_row():
            return self._close_in_line(opening)
        end = self._text.find("\n", found)
        self._end = len(self._text) if end < 0 else end
        self._last_close = self._text.rfind('"' + self._form.delimiter, found, self._end)
        return found

    def _ends_cell(self, close: int) -> bool:
        after = close + 1
        while self._text.startswith(" ", after):
            after += 1
        return after >= len(self._text) or self._text[after] in ("\n", self._form.delimiter)

    def _close_in_line(self, opening: int) -> int:
        """For a cell that holds quotation marks which are not doubled: the next one at the end of a cell."""
        if opening < self._last_close:
            return self._text.find('"' + self._form.delimiter, opening + 1, self._end)
        last = self._end - 1
        return last if last > opening and self._text[last] == '"' else -1

    def _next_line_is_row(self) -> bool:
        """Whether the next line looks like a row of its own, and not like the rest of a quoted cell."""
        end = self._text.find("\n", self._end + 1)
        cells = self._text[self._end + 1 : len(self._text) if end < 0 else end].split(self._form.delimiter)
        if len(cells) != self._form.width or len(cells) < 2:
            return False
        own = self._text[self._start : self._text.find(self._form.delimiter, self._start)].strip(' "')
        if own.isdecimal():
            return cells[0].strip(' "').isdecimal()
        return self._form.delimiter == "\t" or not any(cell.startswith(" ") for cell in cells)


def width_of(cells: list[str]) -> int:
    """Cells without the empty ones at the end, which spreadsheets add; 0 for a blank row."""
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return width
