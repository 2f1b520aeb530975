"""PDF: the text of its pages; a hit's section names the page, its lines count the extracted text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.types import Heading

SUFFIXES = frozenset({".pdf"})


def read(source: SourceFile) -> Iterator[Document]:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity of a file on stderr
    try:
        reader = PdfReader(io.BytesIO(source.data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("encrypted PDF: it needs a password")
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, RecursionError) as error:
        raise ReadError(f"not a readable PDF: {error}") from error
    if pages and not any(page.strip() for page in pages):
        raise ReadError("PDF without text: its pages are images, run OCR first")
    headings, at = [], 0
    for number, page in enumerate(pages, 1):
        headings.append(Heading(at, 0, f"page {number}"))
        at += len(page) + 1
    yield Document(source.id, source.id, "\n".join(pages), "text", headings=headings)
