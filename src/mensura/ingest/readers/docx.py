"""Word documents (DOCX): paragraphs and tables in order, headings as Markdown; lines count paragraphs."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from mensura.ingest.base import Document, ReadError, Source

SUFFIXES = frozenset({".docx"})
MAX_UNPACKED = 200_000_000
"""Bytes that the archive may unpack to. A zip bomb says more; one that lies fails its own checksum."""
_HEADING = re.compile(r"(?:Heading|heading) ([1-9])$|(Title)$")


def read(source: Source) -> Iterator[Document]:
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise ReadError(f"unpacks to {unpacked / 1e6:,.0f} MB: possibly a zip bomb")
        blocks = list(docx.Document(io.BytesIO(source.data)).iter_inner_content())
    except ReadError:
        raise
    except Exception as error:  # python-docx lets whatever lxml and zipfile raise through
        raise ReadError(f"not a readable DOCX: {error}") from error
    yield Document(source.id, source.id, "\n\n".join(filter(None, map(_text, blocks))), "markdown")


def _text(block: Any) -> str:
    if hasattr(block, "rows"):
        return "\n".join(" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
    text: str = block.text.strip()
    style = _HEADING.match(block.style.name if block.style is not None else "")
    if not text or not style:
        return text
    return "#" * (1 if style[2] else min(int(style[1]), 6)) + " " + text.replace("\n", " ")
