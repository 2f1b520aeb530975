"""What a file is by its content, where its name says something else: exports of programs that call everything Word or
Excel, because these open it all the same."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from embassay.ingest.base import Read, SourceFile

HEAD = 1_024
"""Bytes that show what a file is."""
_KINDS = (
    (".rtf", re.compile(rb"\s*\{\\rtf")),
    (".pdf", re.compile(rb"%PDF-")),
    (".mht", re.compile(rb"(?:[\w-]{1,40}:[^\n]*\n(?:[ \t][^\n]*\n)*)*?MIME-Version:", re.IGNORECASE)),
    (
        ".html",
        re.compile(
            rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,400}?-->\s*)*<(?:!doctype html|html|head|meta|body|table)\b",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    (".xml", re.compile(rb"\s*<\?xml\s")),
)
"""The suffix of each kind that is told, and how it begins."""


def suffix_of(data: bytes) -> str:
    """The suffix that a file of this content should have; empty for what is none of the kinds known here."""
    head = data[:HEAD].replace(codecs.BOM_UTF8, b"", 1)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.replace(b"\0", b"")[2:]
    return next((suffix for suffix, begins in _KINDS if begins.match(head)), "")


def read_as(suffix: str, source: SourceFile) -> Iterator[Read]:
    """What the reader of this suffix makes of the content of `source`."""
    from embassay.ingest.read import reader_of

    return reader_of(suffix).read(SourceFile(Path(source.file.stem + suffix), source.id, source.data))
