"""CSV and TSV: one document a row, with every word of the row.

Lines above the header are a document of their own. The surplus of a row that is wider than the header is joined into
the column of the text, which is where a delimiter goes unquoted. Without a header, the cells are the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from embassay.ingest.base import WHOLE, Document, RawRecord, ReadError, SourceFile
from embassay.ingest.field_names import IDS, TEXTS, TITLES
from embassay.ingest.readers._records import HEADINGS, Habits, document
from embassay.ingest.readers._tables import (
    NO_DELIMITER,
    TableForm,
    TableRow,
    decoded_lines,
    first_rows,
    form_of,
    rows_in,
    rows_of,
    width_of,
)

SUFFIXES = frozenset({".csv", ".tsv"})
BOUNDED = True
MAX_COLUMNS = 10_000
SAMPLE = 100
"""Rows that decide where the header is and which column holds text."""
HEAD_LINES = 2_000
"""Lines that decide about the form of a table that is not held in memory."""
SENTENCE = 4
FEW_WORDS = 3
"""A first cell with so many spaces is a sentence, and names no column whose cells have so many words."""
BANNER = 20
"""Most lines that may stand above a header."""
KNOWN = frozenset({*IDS, *TITLES, *HEADINGS, *TEXTS})
"""Names that only a header has."""

_YEAR = re.compile(r"(?:19|20)\d\d")
_RULE = re.compile(r"^[ \t|+]*[-=]{3}[-=+|: \t]*$", re.MULTILINE)
"""A line between rows, drawn by programs that export a table as a terminal shows it."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What the columns are called, and what becomes of cells beyond them."""

    names: Sequence[str]
    habits: Habits
    delimiter: str
    text_column: int

    def record(self, cells: list[str]) -> dict[str, object]:
        """Name to cell. What a row has too many of is joined where the text stands."""
        surplus = len(cells) - len(self.names)
        if surplus > 0:
            at = self.text_column
            cells = [*cells[:at], self.delimiter.join(cells[at : at + surplus + 1]), *cells[at + surplus + 1 :]]
        return dict(zip(self.names, cells, strict=False))


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    text = _RULE.sub("", source.text())
    form, at, line = _form(text, source)
    rows = _trimmed(rows_of(text, at, line, form), form)
    head, fault = first_rows(rows, SAMPLE)
    above = _rows_above(head, form)
    if above:
        said = "\n".join(form.delimiter.join(cells).strip(" #") for _, cells in head[:above])
        yield Document(f"{source.id}#{head[0][0]}", source.id, said, source_lines=[n for n, _ in head[:above]])
    head = head[above:]
    if len(head) == 1:  # a header and nothing below it, or the only row
        yield Document(f"{source.id}#{head[0][0]}", source.id, "\n".join(head[0][1]), source_lines=(head[0][0],))
    elif head:
        header, head = _header(head, form)
        for start, cells in chain(head, rows):
            record = {"": cells[0]} if _is_remark(cells, form) else header.record(cells)
            yield document(source, record, start, habits=header.habits)
    if fault is not None:
        raise fault


def rows(source: SourceFile) -> Iterator[RawRecord | ReadError]:
    """The rows below the header, which names their fields. Of a file that is longer than `WHOLE` the head alone decides
    about its form, and quotation marks have to be closed."""
    if source.size <= WHOLE:
        text = _RULE.sub("", source.text())
        form, at, line = _form(text, source)
        yield from _named(_trimmed(rows_of(text, at, line, form), form), form)
        return
    with source.open() as stream:
        lines = decoded_lines(stream)
        head = list(islice(lines, HEAD_LINES))
        text = "".join(head)
        form, at, line = _form(text, source)
        following = chain([text[at:].partition("\n")[0] + "\n"], head[line:], lines)
        yield from _named(_trimmed(rows_in(following, line, form), form), form)


def _named(rows: Iterator[TableRow], form: TableForm) -> Iterator[RawRecord | ReadError]:
    """The rows with the names that the first of them gives, behind what stands above it."""
    head, fault = first_rows(rows, SAMPLE)
    head = head[_rows_above(head, form) :]
    if head:
        header, head = _header(head, form, is_sure=True)
        try:
            for line, cells in chain(head, rows):
                if not _is_remark(cells, form):
                    yield RawRecord(line, header.record(cells))
        except ReadError as error:
            fault = error
    if fault is not None:
        yield fault


def _form(text: str, source: SourceFile) -> tuple[TableForm, int, int]:
    """How the table is written, and where and in which line it begins."""
    at, line, delimiter = _declared(text)
    if _is_one_column(text, at):
        return TableForm(NO_DELIMITER, 1), at, line
    preferred = "\t" if source.file.suffix.lower() == ".tsv" else ""
    return form_of(text, at, delimiter or preferred), at, line


def _declared(text: str) -> tuple[int, int, str]:
    """Where the table begins, in which line, and its delimiter as the line ``sep=`` gives it, which Excel obeys."""
    first, _, _ = text[:100].partition("\n")
    declared = first.strip().strip('"')
    if declared.lower().startswith("sep=") and len(declared) == 5:
        return len(first) + 1, 2, declared[4]
    if first.lower().startswith("sep=\t"):
        return len(first) + 1, 2, "\t"
    return 0, 1, ""


def _is_one_column(text: str, at: int) -> bool:
    """Whether the first line is nothing but a name of a text: then every delimiter below belongs to a text."""
    first = text[at : text.find("\n", at) % (len(text) + 1)] if text else ""
    return first.strip().strip('"').lower() in KNOWN


def _trimmed(rows: Iterator[TableRow], form: TableForm) -> Iterator[TableRow]:
    """The rows without empty cells beyond the width of the table. Raises ReadError for too many columns."""
    for line, cells in rows:
        if form.delimiter == "|":  # padded, so that the columns stand below one another
            cells = [cell.strip() for cell in cells]
        while len(cells) > form.width and not cells[-1].strip():
            cells.pop()
        if len(cells) > MAX_COLUMNS:
            raise ReadError(f"{len(cells):,} columns, the limit is {MAX_COLUMNS:,}")
        yield line, cells


def _rows_above(head: Sequence[TableRow], form: TableForm) -> int:
    """How many rows stand above the header: comments, and titles of a report, which are narrower than the table."""
    for number, (_, cells) in enumerate(head[: BANNER + 1]):
        following = head[number + 1 :]
        width = width_of(cells)
        is_narrow = (width == 1 < form.width or 3 * width < form.width) and not _names_one(cells, following, form)
        is_comment = cells[0].startswith("#") and (
            len(cells) != form.width or (bool(following) and _is_comment(following[0]))
        )
        is_known = any(cell.strip().lower() in KNOWN for cell in cells)
        if is_known or not (is_narrow or is_comment) or not any(len(row) >= form.width for _, row in following):
            return number
    return 0


def _names_one(cells: Sequence[str], following: Sequence[TableRow], form: TableForm) -> bool:
    """Whether a row names the only column of a table that R wrote, below which the numbers of rows have none."""
    return len(cells) == 1 == form.width - 1 and bool(following) and _is_number(following[0][1][0])


def _is_comment(row: TableRow) -> bool:
    return row[1][0].startswith("#")


def _is_remark(cells: Sequence[str], form: TableForm) -> bool:
    """Whether a row below the header is a comment."""
    return cells[0].startswith("#") and len(cells) == 1 < form.width


def _header(head: list[TableRow], form: TableForm, *, is_sure: bool = False) -> tuple[_Header, list[TableRow]]:
    """The header, and the rows below it as far as they are in `head`. `is_sure`: nobody doubts that there is one."""
    names = [cell.strip() for cell in head[0][1]]
    rows = [cells for _, cells in head[1:]]
    if not is_sure and not _is_header(names, rows):
        width = max(form.width, len(names))
        names = [f"column {number}" for number in range(1, width + 1)]
        habits = Habits(names, is_table=True)
        return _Header(names, habits, form.delimiter, _longest(names, [cells for _, cells in head])), head
    names[0] = names[0].lstrip("# ")
    start = 1
    if _has_two_lines(names, rows):
        names, start = _in_one(names, rows[0]), 2
    elif _lacks_a_name(names, rows):
        names = ["", *names]
    names, unnamed = _told_apart(names)
    habits = Habits(unnamed, is_table=True)
    return _Header(names, habits, form.delimiter, _text_column(names, rows)), head[start:]


def _has_two_lines(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is the second line of the header: names above numbers, below names that span columns."""
    given = list(filter(None, names))
    if len(rows) < 2 or any(map(_is_number, rows[0])) or (all(names[1:]) and len(set(given)) == len(given)):
        return False
    below = ([row[at].strip() for row in rows[1:] if at < len(row)] for at in range(1, len(rows[0])))
    return any(
        name.strip() and any(cells) and all(map(_is_number, filter(None, cells)))
        for name, cells in zip(rows[0][1:], below, strict=True)
    )


def _in_one(names: Sequence[str], second: Sequence[str]) -> list[str]:
    """The names of a header of two lines; one that spans columns stands in the first of them."""
    joined, spans = [], ""
    for name, below in zip_longest(names, second, fillvalue=""):
        spans = name or spans
        joined.append(f"{spans} {below.strip()}".strip())
    return joined


def _is_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: it holds no numbers above numbers, and no sentences above sentences."""
    if not rows or any(name.lower().lstrip("# ") in KNOWN for name in names):
        return True
    below = [[row[at].strip() for row in rows if at < len(row)] for at in range(len(names))]
    columns = [(name, cells) for name, cells in zip(names, below, strict=True) if name and any(cells)]
    if any(
        _is_number(name) and all(map(_is_number, filter(None, cells)))
        for name, cells in columns
        if not _is_year(name, cells)
    ):
        return False
    asked = [cells for name, cells in columns if name.endswith("?")]
    if asked:  # a survey has its questions in the header, and a list of questions in every row
        return not any(cell.endswith("?") for cells in asked for cell in cells)
    if len(names) == 1:
        return " " not in names[0]
    written = [(name, cells) for name, cells in columns if not all(map(_is_number, filter(None, cells)))]
    if any(
        name.count(" ") >= SENTENCE and _mean([cell.split() for cell in cells]) >= FEW_WORDS for name, cells in written
    ):
        return False
    alike = all(0.5 * _mean(cells) <= len(name) <= 1.5 * _mean(cells) for name, cells in written)
    return not (alike and any(name.count(" ") > 1 for name in names))


def _is_year(name: str, cells: Sequence[str]) -> bool:
    """Whether a year names the column, as in statistics: then years do not stand below it as well."""
    return bool(_YEAR.fullmatch(name)) and not all(map(_YEAR.fullmatch, filter(None, cells)))


def _mean(cells: Sequence[Sized]) -> float:
    """The mean length."""
    return sum(map(len, cells)) / len(cells)


def _is_number(cell: str) -> bool:
    return bool(cell) and not any(map(str.isalpha, cell)) and any(map(str.isdecimal, cell))


def _lacks_a_name(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether every row has one cell more than there are names, as R writes tables with the names of their rows."""
    wider = bool(rows) and all(len(row) == len(names) + 1 for row in rows)
    return wider and names[0].lower() not in IDS and not any(c.startswith(" ") for row in rows for c in row[1:])


def _told_apart(names: Sequence[str]) -> tuple[list[str], set[str]]:
    """Every name once, and which of them were made up for columns without one.

    The first column may go without a name: there, numbers of rows stand.
    """
    told: dict[str, None] = {}
    unnamed = set()
    times: Counter[str] = Counter()
    for number, name in enumerate(names, 1):
        unique = name or ("" if number == 1 else f"column {number}")
        while unique in told:
            times[name] += 1
            unique = f"{name or 'column'} {times[name] + 1}"
        if not name:
            unnamed.add(unique)
        told[unique] = None
    return list(told), unnamed


def _text_column(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The column into which the surplus of a row goes."""
    lower = [name.lower() for name in names]
    return next((lower.index(name) for name in TEXTS if name in lower), _longest(names, rows))


def _longest(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The column that holds most characters; of equal ones the last."""
    length = [sum(len(row[at]) for row in rows if at < len(row) <= len(names)) for at in range(len(names))]
    return max(range(len(names)), key=lambda at: (length[at], at), default=0)
