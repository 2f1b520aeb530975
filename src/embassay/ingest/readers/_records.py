"""How a record of a table or of JSON becomes a document: nothing that a person reads in it is lost.

A record has an id, a title and a text where its fields are called so. Every other field that holds words is part of the
text as well, as a line ``field: value`` below it, and so are the strings inside of lists and objects. All of them are
metadata, but for words so long that nobody filters by them. What only machines read (numbers, addresses, digests,
times) is metadata alone; in tables, numbers are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from embassay.ingest.base import Document, SourceFile
from embassay.ingest.embedded_data import without_embedded_data
from embassay.ingest.field_names import IDS, TEXTS, TITLES
from embassay.types import Metadata, Value, texts_in

HEADINGS = ("question", "heading")
"""Titles of a text that stands beside them."""
SPEAKERS = ("role", "from", "speaker")
SAID = ("content", "value", "text", "message")
"""Who speaks in a message of a conversation, and what is said, as the formats for chat models call them."""
MAX_TITLE = 80
"""Bytes of a title that stands above each chunk. A longer one would be left out of the context of a long document, so
that it is part of the text instead."""
MAX_FIELD = 1_000
"""Characters of a string that is still of use as metadata; a longer one is part of the text alone."""
LONG_WORD, LONG_ADDRESS = 24, 10_000
"""Characters of a digest at least, and of an address at most."""
_MACHINE = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://|data:|mailto:)\S*"  # addresses
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}"  # UUIDs, digests
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+ ?(?:Z|UTC|[+-][0-9:]+)?"  # times
    r"|[^\W\d_]?\S*[0-9+/=_]\S{80,}"  # tokens and other encoded data
)


@dataclass(frozen=True, slots=True)
class Habits:
    """What a format says about its records, beside their fields."""

    unnamed: Collection[str] = ()
    """Fields whose names were made up here, so that they are no part of the text."""
    is_table: bool = False
    """Whether people see every field: then ids, addresses and digests are part of the text, if they hold letters."""


PLAIN = Habits()


def document(
    source: SourceFile, record: Mapping[str, object], line: int, *, number: int = 0, habits: Habits = PLAIN
) -> Document:
    """The record that begins in `line` of the file as a document.

    Without an id it goes by its `number`, or by its line. Without a text field, the lines of its other fields are its
    text; without those, its title is.
    """
    record = {str(name): value for name, value in record.items()}
    fields = {name.lower(): name for name in reversed(record)}
    identity, of_identity = _first(record, fields, IDS)
    text, of_text = _first_text(record, fields)
    title, of_title = _first(record, fields, TITLES + HEADINGS if text else TITLES)
    rest = {name: value for name, value in record.items() if name not in (of_identity, of_title, of_text)}
    if habits.is_table and of_identity is not None and any(map(str.isalpha, identity)):
        rest = {str(of_identity): identity, **rest}
    lines = list(_lines(rest, habits, machine=not text))
    body = "\n\n".join(part for part in (text, "\n".join(lines)) if part)
    if len(title.encode("utf-8", "replace")) > MAX_TITLE:
        title, body = "", "\n\n".join(part for part in (title, body) if part)
    return Document(
        id=f"{source.id}#{identity or number or line}",
        path=source.id,
        text=body or title or identity,
        title=title if body else "",
        metadata=_metadata(identity, rest),
        source_lines=(line,),
    )


def words_of(value: object, name: str = "", *, machine: bool = False) -> Iterator[str]:
    """Every string inside of `value` as a line: behind the name of the field that holds it, or behind its speaker.

    Strings that only machines read are left out, unless they are asked for.
    """
    stack = [(name, value)]
    while stack:
        name, value = stack.pop()
        if isinstance(value, str):
            value = without_embedded_data(value).strip()
            if value and (machine or is_read(value)):
                yield f"{name}: {value}" if name else value
        elif isinstance(value, dict):
            stack.extend(reversed(_members(value, name)))
        elif isinstance(value, list):
            if len(value) > 1 and all(isinstance(item, str) and len(item) < MAX_TITLE for item in value) and name:
                value = [", ".join(item.strip() for item in value if item.strip())]
            stack.extend((name, item) for item in reversed(value) if item and isinstance(item, (str, list, dict)))


def is_read(value: str) -> bool:
    """Whether a string holds letters, and people read it."""
    if value.isalpha():
        return len(value) < LONG_WORD or not _MACHINE.fullmatch(value, 0, LONG_ADDRESS)
    return any(map(str.isalpha, value)) and not _MACHINE.fullmatch(value, 0, LONG_ADDRESS)


def is_message(value: object) -> bool:
    """Whether a value is a message of a conversation: who speaks, and what is said."""
    return isinstance(value, dict) and all(_speech(value))


def _speech(value: Mapping[str, object]) -> tuple[str, str]:
    """The names under which a message has its speaker, and what is said; empty where it has none."""
    speaker = next((key for key in SPEAKERS if isinstance(value.get(key), str)), "")
    return speaker, next((key for key in SAID if isinstance(value.get(key), (str, list, dict))), "")


def _members(value: Mapping[str, object], name: str) -> list[tuple[str, object]]:
    """(name, value) of what an object holds. A message of a conversation goes by its speaker, its part by none."""
    speaker, said = _speech(value)
    if speaker and said:
        others = [(key, other) for key, other in value.items() if key not in (speaker, said, "type")]
        return [(str(value[speaker]), value[said]), *others]
    kind = value.get("type")
    if isinstance(kind, str) and kind in value:  # one part of a message, which says under which name it holds what
        return [(name, value[kind]), *((k, v) for k, v in value.items() if k not in ("type", kind))]
    return [(str(key), other) for key, other in value.items()]


def _lines(rest: Mapping[str, object], habits: Habits, *, machine: bool) -> Iterator[str]:
    for name, value in rest.items():
        if not value or not isinstance(value, (str, list, dict)):
            continue
        shown = "" if name in habits.unnamed else name.strip()
        if isinstance(value, str):
            whole = (machine and bool(name.strip())) or (habits.is_table and any(map(str.isalpha, value)))
            yield from words_of(value, shown, machine=whole)
        else:
            yield from words_of(value, shown)


def _metadata(identity: str, rest: Mapping[str, Any]) -> Metadata:
    """The id and the other fields, but for words of a length that nobody filters by: they are part of the text."""
    filtered = {
        name: value for name, value in rest.items() if name.strip() and value is not None and not _is_prose(value)
    }
    return {"id": identity, **filtered} if identity else filtered


def _is_prose(value: Value) -> bool:
    """Whether a value holds words alone, in a text or in a list or object that is longer than a field."""
    if isinstance(value, str):
        return len(value) > MAX_FIELD and is_read(value)
    return isinstance(value, (list, dict)) and sum(map(len, texts_in(value))) > MAX_FIELD and _are_words(value)


def _are_words(value: Value) -> bool:
    """Whether all that is inside of a list or an object is text that people read."""
    stack = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, (list, dict)):
            stack.extend(inner.values() if isinstance(inner, dict) else inner)
        elif inner is not None and not (isinstance(inner, str) and (is_read(inner) or not inner.strip())):
            return False
    return True


def _first(record: Mapping[str, object], fields: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str | None]:
    """The first of `names` that is not blank, as a string, and what the record calls it."""
    for name in names:
        if name not in fields:
            continue
        value = record[fields[name]]
        if (_is_number(value) or isinstance(value, str)) and str(value).strip():
            return str(value).strip(), fields[name]
    return "", None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _first_text(record: Mapping[str, object], fields: Mapping[str, str]) -> tuple[str, str | None]:
    """The first text field that says something, and what the record calls it."""
    for name in TEXTS:
        if name not in fields:
            continue
        value = record[fields[name]]
        if _is_number(value):
            value = str(value)
        paragraphs = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if text := ("\n\n" if paragraphs else "\n").join(words_of(value, machine=True)):
            return text, fields[name]
    return "", None
