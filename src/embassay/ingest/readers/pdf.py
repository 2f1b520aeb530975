"""PDF: the text of its pages; a hit's section names the page, its lines count the extracted text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from embassay import plugins
from embassay.ingest.base import Document, LeftOut, Read, ReadError, SourceFile
from embassay.ingest.readers._pdf_fonts import dictionary, mend_fonts
from embassay.ingest.readers._pdf_forms import written_on
from embassay.ingest.readers._pdf_lines import is_garbled, letters, rejoined
from embassay.types import Heading

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

SUFFIXES = frozenset({".pdf"})
OCR = "embassay.ingest.ocr"
"""The folder of what recognises letters in pictures; it has nothing of its own."""
MAX_RANGES = 20
"""Of pages that are named."""
MAX_FORMS = 3
"""Levels of drawings in drawings in which a picture is looked for."""


def read(source: SourceFile) -> Iterator[Read]:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity of a file on stderr
    try:
        reader = PdfReader(io.BytesIO(source.data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("encrypted PDF: it needs a password")
        pages = _pages(reader)
    except (ReadError, MemoryError):
        raise
    except Exception as error:  # the library lets whatever through
        raise ReadError(f"not a readable PDF: {error}") from error
    if not any(map(str.strip, pages.texts)):  # then its pages are blank, or letters are drawn like any other line
        pages.images = [
            number for number in range(1, len(pages.texts) + 1) if number not in pages.garbled + pages.broken
        ]
    told = _recognised(source, pages)
    if pages.texts and not any(map(str.strip, pages.texts)):
        raise ReadError("PDF without text: " + "; ".join(part.reason for part in told))
    texts = rejoined(pages.texts)
    headings, at = [], 0
    for number, text in enumerate(texts, 1):
        headings.append(Heading(at, 0, f"page {number}"))
        at += len(text) + 1
    yield Document(source.id, source.id, "\n".join(texts), "text", headings=headings)
    yield from told
    if _is_dynamic_form(reader):
        yield LeftOut("its form is drawn by scripts (XFA): only what other programs see of it was read")


@dataclass
class Pages:
    """The texts of the pages, in order, and the numbers of those that gave none, counted from 1."""

    texts: list[str] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    garbled: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def _pages(reader: PdfReader) -> Pages:
    """A page that stands in the document several times is read once."""
    found = Pages()
    known: dict[int, tuple[str, list[int] | None]] = {}
    fonts: set[int] = set()
    for number, page in enumerate(reader.pages, 1):
        reference = page.indirect_reference
        name = reference.idnum if reference is not None else -1
        if name not in known or name < 0:
            known[name] = _page(page, fonts, found)
        text, without = known[name]
        found.texts.append(text)
        if without is not None:
            without.append(number)
    return found


def _page(page: PageObject, fonts: set[int], found: Pages) -> tuple[str, list[int] | None]:
    """The text of a page, and the list in which it belongs if it has none that can be read."""
    try:
        mend_fonts(page, fonts)
        text = page.extract_text()
        beside = written_on(page)
    except MemoryError:
        raise
    except Exception:  # the library lets whatever through; the other pages are kept
        return "", found.broken
    if is_garbled(text):
        return "\n".join(beside), found.garbled
    text = "\n".join([letters(text), *beside]) if beside else letters(text)
    return text, found.images if not text.strip() and _has_image(page, 0) else None


def _has_image(holder: PageObject, level: int) -> bool:
    for each in dictionary(dictionary(holder, "/Resources"), "/XObject").values():
        image = each.get_object()
        kind = image.get("/Subtype") if hasattr(image, "get") else None
        if kind == "/Image" or (kind == "/Form" and level < MAX_FORMS and _has_image(image, level + 1)):
            return True
    return False


def _recognised(source: SourceFile, pages: Pages) -> list[LeftOut]:
    """Fill in what an engine for OCR finds on pages without text; what it does not find is told."""
    wanted = {*pages.images, *pages.garbled}
    fault = ""
    for engine in plugins.load_all(OCR).values() if wanted else ():
        try:
            seen = engine.recognise(source, sorted(wanted))
        except MemoryError:
            raise
        except Exception as error:  # an engine may fail in any way; the text of the other pages is kept
            fault = f"; OCR failed: {' '.join(str(error).split())[:200]}"
            continue
        for number, text in seen.items():
            if number in wanted and text.strip():
                pages.texts[number - 1] = "\n".join(filter(None, [text.strip("\n"), pages.texts[number - 1]]))
                wanted.remove(number)
    kinds = (
        (wanted.intersection(pages.images), "images, run OCR first" + fault),
        (wanted.intersection(pages.garbled), "fonts that do not say which letters they show, run OCR first" + fault),
        (set(pages.broken), "damaged"),
    )
    total = len(pages.texts)
    return [
        LeftOut(f"{len(found)} of {total} pages ({_ranges(sorted(found))}): {what}") for found, what in kinds if found
    ]


def _ranges(numbers: Sequence[int]) -> str:
    """These numbers, in ascending order, shortly: ``2, 5-6``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, each)) for each in ranges[:MAX_RANGES]) + ", ..." * (len(ranges) > MAX_RANGES)


def _is_dynamic_form(reader: PdfReader) -> bool:
    try:
        return "/XFA" in cast(Mapping[str, object], reader.root_object["/AcroForm"].get_object())
    except Exception:  # a broken catalogue; the pages were read nonetheless
        return False
