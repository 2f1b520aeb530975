"""Word documents (DOCX): paragraphs and tables in order, headings as Markdown; lines are those of that text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from embassay.ingest.base import Document, ReadError, SourceFile

SUFFIXES = frozenset({".docx"})
MAX_UNPACKED = 200_000_000
"""Bytes that the archive may unpack to, counted while unpacking: what it says of itself may be a lie."""
MAX_BLOCKS = 100_000
MAX_COLUMNS = 63
"""Of a table in Word, so that no merged cell covers more; a file may claim any number."""
_HEADING = re.compile(r"(?:Heading|heading) ([1-9])$|(Title)$")


def read(source: SourceFile) -> Iterator[Document]:
    import docx

    try:
        _check_size(source.data)
        document = docx.Document(io.BytesIO(source.data))
        blocks = list(islice(document.iter_inner_content(), MAX_BLOCKS + 1))
        if len(blocks) > MAX_BLOCKS:
            raise ReadError(f"more than {MAX_BLOCKS:,} paragraphs")
        styles = _Styles(document)
        parts = [_rows(block) if hasattr(block, "rows") else _paragraph(block, styles) for block in blocks]
    except ReadError:
        raise
    except Exception as error:  # python-docx lets whatever lxml and zipfile raise through
        raise ReadError(f"not a readable DOCX: {error}") from error
    yield Document(source.id, source.id, "\n\n".join(filter(None, parts)), "markdown")


def _check_size(data: bytes) -> None:
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as stream:
                while part := stream.read(1 << 20):
                    unpacked += len(part)
                    if unpacked > MAX_UNPACKED:
                        raise ReadError(f"unpacks to more than {MAX_UNPACKED / 1e6:,.0f} MB: possibly a zip bomb")


class _Styles:
    """The name of each paragraph's style; python-docx searches all styles for every paragraph."""

    def __init__(self, document: Any) -> None:
        self._names: dict[str | None, str] = {}
        self._part = document.part

    def name(self, paragraph: Any) -> str:
        """As `paragraph.style.name`, looked up once for each style."""
        style_id = paragraph._p.style
        if style_id not in self._names:
            style = paragraph.style
            self._names[style_id] = style.name or "" if style is not None else ""
        return self._names[style_id]


def _paragraph(block: Any, styles: _Styles) -> str:
    text = _said(block._p).strip()
    style = _HEADING.match(styles.name(block)) if text else None
    if not style:
        return text
    return "#" * (1 if style[2] else min(int(style[1]), 6)) + " " + text.replace("\n", " ")


def _rows(table: Any) -> str:
    """The rows of a table, a line each. As in python-docx, a merged cell is said in every column and row it covers."""
    above: dict[int, tuple[str, int]] = {}
    """Text and columns of the cell that covers each column where it begins, from the row above."""
    lines = []
    for row in table._tbl.tr_lst:
        said: list[str] = []
        here: dict[int, tuple[str, int]] = {}
        column = _number(row.grid_before)
        for cell in row.tc_lst:
            text, span = "\n".join(map(_said, cell.p_lst)).strip(), min(_number(cell.grid_span), MAX_COLUMNS)
            if cell.vMerge == "continue":
                text, span = above.get(column, (text, span))
            here[column] = text, span
            said += [text] * span
            column += _number(cell.grid_span)
        above = here
        lines.append(" | ".join(said))
    return "\n".join(lines)


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _said(paragraph: Any) -> str:
    """As `paragraph.text`, by a walk over its children: python-docx compiles an expression for every run."""
    run, link, inner = _tags()
    said: list[str] = []
    for child in paragraph:
        if child.tag == run:
            said += [str(part) for part in child if part.tag in inner]
        elif child.tag == link:
            said += [str(part) for each in child if each.tag == run for part in each if part.tag in inner]
    return "".join(said)


@cache
def _tags() -> tuple[str, str, frozenset[str]]:
    """A run, a link, and what in a run is text."""
    from docx.oxml.ns import qn

    inner = ("w:br", "w:cr", "w:noBreakHyphen", "w:ptab", "w:t", "w:tab")
    return qn("w:r"), qn("w:hyperlink"), frozenset(map(qn, inner))
