"""JSON of records: values that stand one behind another, in lines or not, or in an array.

Values are given with their places, as `Placed`; what becomes of one is said by `record_of` for documents, and by
`row_of` for rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from embassay import jsontext
from embassay.ingest.base import Document, RawRecord, ReadError, SourceFile
from embassay.ingest.readers._records import document, words_of


@dataclass(frozen=True, slots=True)
class Placed:
    """A value of JSON and where it stands."""

    value: object
    line: int
    number: int = 0
    """Which of the values it is, counted from 1; 0 where its line tells as much."""


def record_of(source: SourceFile, value: object, line: int, number: int = 0) -> Document | ReadError:
    """The document of one value: an object, or a text or a list that holds one."""
    if isinstance(value, (str, list)) and next(words_of(value, machine=True), ""):
        value = {"text": value}
    if isinstance(value, dict):
        return document(source, value, line, number=number)
    return ReadError(f"line {line}: expected an object, found {_name(value)}")


def documents_of(source: SourceFile, values: Iterator[Placed | ReadError]) -> Iterator[Document | ReadError]:
    """The documents of values."""
    for one in values:
        yield one if isinstance(one, ReadError) else record_of(source, one.value, one.line, one.number)


def row_of(one: Placed | ReadError) -> RawRecord | ReadError:
    """The row of a value, which must be an object."""
    if isinstance(one, ReadError):
        return one
    if not isinstance(one.value, dict):
        return ReadError(f"line {one.line}: expected an object, found {type(one.value).__name__}")
    return RawRecord(one.line, one.value)


def line_of(line: str, number: int) -> Placed | ReadError:
    """The value of one line of JSON."""
    try:
        return Placed(jsontext.loads_anyhow(line.rstrip().removesuffix(",")), number)
    except ValueError as error:
        return ReadError(f"line {number} is not JSON: {error}")


def array_of(text: str, at: int) -> Iterator[Placed | ReadError]:
    """The elements of the array that opens at character `at`.

    What is no JSON ends it with a ReadError, and what was read before is kept.
    """
    return _placed(text, jsontext.elements(text, at), "element")


def values_of(text: str) -> Iterator[Placed | ReadError]:
    """Values that stand one behind another, over as many lines as they like, or in one array."""
    start = len(text) - len(text.lstrip())
    if text.startswith("[", start):
        return array_of(text, start)
    return _placed(text, jsontext.values(text), "value")


def _placed(text: str, values: Iterator[tuple[int, object]], what: str) -> Iterator[Placed | ReadError]:
    place = LineCount(text)
    number = 0
    try:
        for number, (at, value) in enumerate(values, 1):
            yield Placed(value, place.line(at), number)
    except ValueError as error:
        yield ReadError(f"behind {what} {number:,} it is not JSON: {error}")


class LineCount:
    """Tells the line of a character, for characters that are asked for in their order."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def line(self, at: int) -> int:
        """The line, counted from 1, in which character `at` stands."""
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line


def _name(value: object) -> str:
    return "a list without text" if isinstance(value, list) else type(value).__name__
