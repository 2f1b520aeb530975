"""Word documents (DOCX): paragraphs and tables in order, headings as Markdown; lines are those of that text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

from embassay.ingest.base import Document, ReadError, SourceFile

SUFFIXES = frozenset({".docx"})
MAX_UNPACKED = 200_000_000
"""Bytes that the archive may unpack to, counted while unpacking: what it says of itself may be a lie."""
MAX_BLOCKS = 100_000
_HEADING = re.compile(r"(?:Heading|heading) ([1-9])$|(Title)$")


def read(source: SourceFile) -> Iterator[Document]:
    import docx

    try:
        _check_size(source.data)
        blocks = list(islice(docx.Document(io.BytesIO(source.data)).iter_inner_content(), MAX_BLOCKS + 1))
        if len(blocks) > MAX_BLOCKS:
            raise ReadError(f"more than {MAX_BLOCKS:,} paragraphs")
    except ReadError:
        raise
    except Exception as error:  # python-docx lets whatever lxml and zipfile raise through
        raise ReadError(f"not a readable DOCX: {error}") from error
    yield Document(source.id, source.id, "\n\n".join(filter(None, map(_text, blocks))), "markdown")


def _check_size(data: bytes) -> None:
    unpacked = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as stream:
                while part := stream.read(1 << 20):
                    unpacked += len(part)
                    if unpacked > MAX_UNPACKED:
                        raise ReadError(f"unpacks to more than {MAX_UNPACKED / 1e6:,.0f} MB: possibly a zip bomb")


def _text(block: Any) -> str:
    if hasattr(block, "rows"):
        return "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
    text: str = block.text.strip()
    style = _HEADING.match(block.style.name if block.style is not None else "")
    if not text or not style:
        return text
    return "#" * (1 if style[2] else min(int(style[1]), 6)) + " " + text.replace("\n", " ")
