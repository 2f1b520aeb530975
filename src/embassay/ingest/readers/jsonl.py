"""JSON lines: one document a line. A file of one array, or of values over several lines, is read as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BufferedReader, TextIOWrapper
from itertools import chain
from typing import TYPE_CHECKING, AnyStr, cast

from embassay import jsontext
from embassay.ingest.base import Document, RawRecord, ReadError, SourceFile
from embassay.ingest.decode import HEAD, wide_encoding
from embassay.ingest.encodings import SAMPLE, guessed
from embassay.ingest.readers._json import Placed, documents_of, line_of, row_of, values_of

if TYPE_CHECKING:
    from io import RawIOBase

SUFFIXES = frozenset({".jsonl", ".ndjson"})
BOUNDED = True
STREAMS = True
MAX_LINE = 16_000_000
"""Bytes; as Python has it, JSON takes up to thirty times its size."""

_ACTION = re.compile(
    r'\s*\{\s*"(?:index|create|update|delete)"\s*:\s*\{\s*(?:"_(?:index|id|type)"\s*:[^{}]*)?\}\s*\}\s*$'
)
"""What stands above each record in a file for the bulk interface of Elasticsearch: where the record belongs."""


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    yield from documents_of(source, _values(source))


def rows(source: SourceFile) -> Iterator[RawRecord | ReadError]:
    """The objects, one after the other."""
    yield from map(row_of, _values(source))


def _values(source: SourceFile) -> Iterator[Placed | ReadError]:
    with source.open() as opened, BufferedReader(cast("RawIOBase", opened), SAMPLE) as stream:
        numbered = _text_lines(stream)
        lines = ((number, line) for number, line in numbered if line.strip())
        first = next(lines, None)
        if first is None:
            return
        if (whole := _whole(source, first[1])) is not None:
            yield from values_of(whole)
            return
        for number, line in chain([first], lines):
            if len(line) > MAX_LINE:
                yield ReadError(f"line {number} is longer than {MAX_LINE:,} bytes")
            elif not _ACTION.match(line):
                yield line_of(line, number)


def _whole(source: SourceFile, first: str) -> str | None:
    """The text of a file that is no JSON lines, but one array, or values over several lines, if memory can hold it."""
    if first.lstrip()[:1] not in ("[", "{") or source.size > MAX_LINE:
        return None
    try:
        value = jsontext.loads_anyhow(first)
    except ValueError:
        text = source.text()
        return text if _begins_with_value(text) else None
    is_array = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    return source.text() if is_array else None


def _begins_with_value(text: str) -> bool:
    start = len(text) - len(text.lstrip())
    found = jsontext.elements(text, start) if text.startswith("[", start) else jsontext.values(text)
    try:
        return next(found, None) is not None
    except ValueError:
        return False


def _text_lines(stream: BufferedReader[RawIOBase]) -> Iterator[tuple[int, str]]:
    """(number, line) of every line. A line that is no UTF-8 is read in the encoding that it looks like.

    Of a line above `MAX_LINE` there is only a head that shows that it is.
    """
    wide = wide_encoding(stream.peek()[:HEAD])
    if wide is not None and wide != "utf-8-sig":
        with TextIOWrapper(stream, wide, errors="replace", newline="\n") as text:
            yield from enumerate(_lines(text.readline, "\n"), 1)
        return
    encoding = ""
    """Of lines that are no UTF-8; where others are, it is UTF-8 with broken characters."""
    for number, raw in enumerate(_lines(stream.readline, b"\n"), 1):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
            encoding = encoding or ("" if raw.isascii() else "utf-8")
        except UnicodeDecodeError:
            encoding = encoding or _guess((raw + stream.peek())[:SAMPLE])
            yield number, raw.decode(encoding, "replace")


def _guess(data: bytes) -> str:
    try:
        return guessed(data)
    except ReadError:
        return "utf-8"


def _lines(readline: Callable[[int], AnyStr], end: AnyStr) -> Iterator[AnyStr]:
    """The lines; of one above `MAX_LINE` the rest is passed over."""
    while line := readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(end):
            line = readline(MAX_LINE + 1)
            if len(line) <= MAX_LINE:
                break
