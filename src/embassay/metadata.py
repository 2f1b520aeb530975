"""Makes metadata of whatever a file or a program gives: the values of JSON, within bounds that every chunk can carry.

Dates and times become texts as ISO 8601 writes them, which sort as they follow each other, and what else JSON has no
word for becomes a text as well. What is beyond a bound is cut or left out, and said.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import unicodedata
import uuid
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import PurePath

from embassay.errors import ReadError
from embassay.text import composed, encodable
from embassay.types import Metadata, Value

MAX_FIELDS, MAX_NAME = 1_000, 1_000
"""Fields of one document, and characters of the name of one."""
MAX_DEPTH = 8
"""Levels of lists and objects within each other; a list of texts is one."""
MAX_TEXT, MAX_SIZE = 10_000, 200_000
"""Characters of one text that are kept, and of all texts of a document."""
MAX_VALUES = 10_000
"""Values in all lists and objects of one document: a few lines of YAML can stand for more than any memory holds."""
MAX_NUMBERS = 256
"""Numbers of one list: a longer one is a vector, a picture or a series, which nobody filters by."""
_SHORT = MAX_SIZE // MAX_FIELDS
"""Characters of a text that cannot exceed a bound, however many there are."""


@dataclass(frozen=True, slots=True)
class KeptMetadata:
    """What was made of some metadata."""

    metadata: Metadata
    losses: Mapping[str, str] = field(default_factory=dict)
    """What is missing, by field: ``was cut``, ``has 1,536 numbers, which are left out``. Empty: nothing is."""
    chars: int = 0
    """Characters of text that are missing."""


def kept(raw: Mapping[str, object]) -> KeptMetadata:
    """`raw` as metadata; it comes back itself where it is that already.

    Raises ReadError where there are more fields, longer names, or more characters than any chunk can carry.
    """
    if len(raw) > MAX_FIELDS:
        raise ReadError(f"{len(raw):,} fields, the limit is {MAX_FIELDS:,} with names of {MAX_NAME}")
    if all(_is_plain(name, value) for name, value in raw.items()):
        return KeptMetadata(raw)  # type: ignore[arg-type]
    making = _Making()
    metadata = {making.name(name): value for name, value in making.fields(raw)}
    if making.size > MAX_SIZE:
        raise ReadError(f"metadata of more than {MAX_SIZE:,} characters")
    return KeptMetadata(metadata, making.losses, making.chars)


def _is_plain(name: object, value: object) -> bool:
    """Whether a field stays as it is, as most do: one that is short, and holds nothing inside."""
    if type(name) is not str or len(name) > MAX_NAME or not (name.isascii() and name.isprintable()):
        return False
    if type(value) is str:
        return len(value) <= _SHORT and value.isascii()
    if type(value) is int:
        return value.bit_length() < 64
    return value is None or type(value) is bool or (type(value) is float and math.isfinite(value))


class _Making:
    """The making of one document's metadata."""

    def __init__(self) -> None:
        self.losses: dict[str, str] = {}
        self.chars = self.size = self._values = 0
        self._field = ""

    def fields(self, raw: Mapping[str, object]) -> Iterator[tuple[object, Value]]:
        """Each field with its value, but for those that are left out."""
        for name, value in raw.items():
            self._field = str(name)
            for made in self._made(value, 0):
                yield name, made

    def name(self, name: object) -> str:
        """The name of a field, without characters that control something: nobody could type it."""
        said = _composed(name if isinstance(name, str) else str(_simple(name)))
        said = said if said.isprintable() else "".join(c if c.isprintable() else " " for c in said)
        if len(said) > MAX_NAME:
            raise ReadError(f"a field with a name of {len(said):,} characters, the limit is {MAX_NAME:,}")
        return said

    def _made(self, value: object, depth: int) -> Iterator[Value]:
        """The value, or nothing where it is left out."""
        value = _simple(value)
        if isinstance(value, str):
            yield self._text(value)
        elif isinstance(value, float) and not math.isfinite(value):
            self._lose(f"is {value}, for which JSON has no number, and was left empty")
            yield None
        elif value is None or isinstance(value, (bool, int, float)):
            yield value
        elif not isinstance(value, (Mapping, list)):
            self._lose(f"is a value of the type {type(value).__name__}, for which JSON has no word")
        elif depth == MAX_DEPTH:
            self._lose(f"is nested deeper than {MAX_DEPTH} levels, and was cut there")
        elif isinstance(value, list) and len(value) > MAX_NUMBERS and all(map(_is_number, value)):
            self._lose(f"has {len(value):,} numbers, which are left out")
        elif self._has_room(len(value)):
            yield self._mapping(value, depth) if isinstance(value, Mapping) else self._list(value, depth)

    def _mapping(self, value: Mapping[object, object], depth: int) -> Value:
        return {self.name(name): made for name, inner in value.items() for made in self._made(inner, depth + 1)}

    def _list(self, value: list[object], depth: int) -> Value:
        return [made for inner in value for made in self._made(inner, depth + 1)]

    def _has_room(self, more: int) -> bool:
        if self._values + more > MAX_VALUES:
            self._lose(f"has more than {MAX_VALUES:,} values, and was cut there")
            return False
        self._values += more
        return True

    def _text(self, value: str) -> str:
        value = _composed(value)
        if len(value) > MAX_TEXT:
            self._lose("was cut", len(value) - MAX_TEXT)
            value = value[:MAX_TEXT]
        self.size += len(value)
        return value

    def _lose(self, what: str, chars: int = 0) -> None:
        self.losses.setdefault(self._field, what)
        self.chars += chars


def _simple(value: object) -> object:
    """A text, a number, a truth value, None, a mapping or a list; `value` itself where nothing comes close to it."""
    if isinstance(value, enum.Enum):
        return _simple(value.value)
    if value is None or isinstance(value, (str, bool, Mapping, list)):
        return value
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return _number(float(value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:MAX_TEXT]).decode("utf-8", "backslashreplace")
    if isinstance(value, AbstractSet):
        return sorted(value, key=str)
    if isinstance(value, Sequence):
        return list(value)
    plain = getattr(value, "tolist", None)  # numpy's numbers and arrays
    if callable(plain):
        return _simple(plain())
    return str(value) if isinstance(value, (uuid.UUID, PurePath)) else value


def _number(value: int | float) -> object:
    """A number that every program reads alike; another one as a text, which filters read as that number where it is
    one: the digits of a whole number beyond 64 bits."""
    if isinstance(value, float):
        return float(value)
    if value.bit_length() < 64:
        return int(value)
    return str(value) if value.bit_length() < MAX_TEXT else hex(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _composed(text: str) -> str:
    """With accents and syllables composed, so that both ways to write them meet, and without lone surrogates."""
    if text.isascii():
        return text
    text = encodable(text)
    return text if unicodedata.is_normalized("NFC", text) else composed(text)
