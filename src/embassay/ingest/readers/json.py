"""JSON in one piece: an array of records, an object that holds a list of them, one record; anything else as text.

Configuration and other JSON that is no record stays as it is written, because its names and its layout say as much as
its strings. Where it is one long line, or next to nothing but numbers, its strings are the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from embassay import jsontext
from embassay.ingest.base import Document, NotText, RawRecord, ReadError, SourceFile
from embassay.ingest.embedded_data import without_embedded_data
from embassay.ingest.field_names import TEXTS
from embassay.ingest.readers._json import Placed, array_of, documents_of, line_of, row_of, values_of
from embassay.ingest.readers._records import document, is_message, words_of

SUFFIXES = frozenset({".json", ".geojson"})
LONG_LINE = 2_000
"""Characters of a line that no person wrote."""
FEW_LETTERS = 0.1
"""Share of letters below which a file is numbers."""
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    text = source.text()
    start = len(text) - len(text.lstrip())
    first = _first_element(text, start) if text.startswith("[", start) else None
    if is_message(first):
        yield replace(document(source, {"text": jsontext.loads_anyhow(text)}, 1), id=source.id)
    elif isinstance(first, dict):
        yield from documents_of(source, array_of(text, start))
    elif text.startswith("{", start):
        yield from _object(source, text, start)
    else:
        yield _as_written(source, text)


def rows(source: SourceFile) -> Iterator[RawRecord | ReadError]:
    """The objects of an array, those that stand one behind another, or those of the list that one object holds."""
    text = source.text()
    start = len(text) - len(text.lstrip())
    yield from map(row_of, _listed(text, start) if text.startswith("{", start) else values_of(text))


def _listed(text: str, start: int) -> Iterator[Placed | ReadError]:
    """The elements of the longest list of objects in the object at `start`, if most of the text is that list."""
    try:
        members = list(jsontext.members(text, start))
    except ValueError:
        return values_of(text)
    lists = [(begin, end) for _, begin, end, value in members if _holds_records(value)]
    begin, end = max(lists, key=lambda place: place[1] - place[0], default=(0, 0))
    return array_of(text, begin) if 2 * (end - begin) > len(text) else values_of(text)


def _first_element(text: str, start: int) -> object:
    """The first element of the array that opens at character `start`; None where there is none."""
    try:
        return next(jsontext.elements(text, start), (0, None))[1]
    except ValueError:
        return None


def _object(source: SourceFile, text: str, start: int) -> Iterator[Document | ReadError]:
    try:
        members = list(jsontext.members(text, start))
    except ValueError:
        members = []
    if not members:
        yield _as_written(source, text)
        return
    name, begin, end, value = max(members, key=lambda member: member[2] - member[1])
    is_most = 2 * (end - begin) > len(text)
    others = {other[0]: other[3] for other in members if other[0] != name}
    if is_most and _holds_records(value):
        head = document(source, others, 1)
        if head.text:
            yield replace(head, id=source.id)
        yield from documents_of(source, array_of(text, begin))
    elif is_most and (name.lower() in TEXTS or (isinstance(value, list) and all(map(is_message, value)))):
        yield replace(document(source, {name: value, **others}, 1), id=source.id)
    elif _is_one_line_more(text, members[-1][2]):
        yield from documents_of(source, _lines(text))
    else:
        yield _as_written(source, text)


def _holds_records(value: object) -> bool:
    """Whether a value is a list of objects, and not a conversation."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value) and not all(map(is_message, value))


def _is_one_line_more(text: str, end: int) -> bool:
    """Whether another object follows the one whose last value ends at `end`: then these are JSON lines."""
    close = text.find("}", end)
    return text[close + 1 :].lstrip().startswith("{")


def _lines(text: str) -> Iterator[Placed | ReadError]:
    return (line_of(line, number) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _as_written(source: SourceFile, text: str) -> Document:
    """The text with its escapes undone, each line in its place; or its strings, where it was not written for people."""
    sample = text[: 1 << 16]
    letters = sum(map(str.isalpha, sample))
    if letters < FEW_LETTERS * len(sample) or any(len(line) > LONG_LINE for line in text.split("\n")):
        try:
            words = "\n".join(words_of(jsontext.loads_anyhow(text), machine=True))
        except ValueError:
            words = ""
        if words:
            return Document(source.id, source.id, words, source_lines=(1,))
        if not letters:
            raise NotText("it holds numbers and no words")
    return Document(source.id, source.id, without_embedded_data(_ESCAPE.sub(_unescaped, text)))


def _unescaped(found: re.Match[str]) -> str:
    """The character that is meant. What would end the line is a space, so that lines keep their numbers."""
    sign = chr(int(found[1], 16)) if found[1] else found[2] if found[2] in '"\\/' else " "
    return sign if sign.isprintable() or "\ud800" <= sign < "\ue000" else " "
