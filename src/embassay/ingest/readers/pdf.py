"""PDF: the text of its pages; a hit's section names the page, its lines count the extracted text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.types import Heading

if TYPE_CHECKING:
    from pypdf import PdfReader

SUFFIXES = frozenset({".pdf"})


def read(source: SourceFile) -> Iterator[Document]:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity of a file on stderr
    try:
        reader = PdfReader(io.BytesIO(source.data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("encrypted PDF: it needs a password")
        pages = _texts(reader)
    except (PyPdfError, ValueError, KeyError, RecursionError) as error:
        raise ReadError(f"not a readable PDF: {error}") from error
    if pages and not any(page.strip() for page in pages):
        raise ReadError("PDF without text: its pages are images, run OCR first")
    headings, at = [], 0
    for number, page in enumerate(pages, 1):
        headings.append(Heading(at, 0, f"page {number}"))
        at += len(page) + 1
    yield Document(source.id, source.id, "\n".join(pages), "text", headings=headings)


def _texts(reader: PdfReader) -> list[str]:
    """The text of each page, in order. A page that stands in the document several times is read once."""
    known: dict[int, str] = {}
    texts = []
    for page in reader.pages:
        reference = page.indirect_reference
        number = reference.idnum if reference is not None else -1
        if number not in known or number < 0:
            known[number] = page.extract_text()
        texts.append(known[number])
    return texts
