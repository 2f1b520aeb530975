"""JSON of records: values that stand one behind another, in lines or not, or in an array."""

from __future__ import annotations

from collections.abc import Iterator

from embassay import jsontext
from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._records import document, words_of


def record_of(source: SourceFile, value: object, line: int, number: int = 0) -> Document | ReadError:
    """The document of one value: an object, or a text or a list that holds one."""
    if isinstance(value, (str, list)) and next(words_of(value, machine=True), ""):
        value = {"text": value}
    if isinstance(value, dict):
        return document(source, value, line, number=number)
    return ReadError(f"line {line}: expected an object, found {_name(value)}")


def line_of(source: SourceFile, line: str, number: int) -> Document | ReadError:
    """The document of one line of JSON."""
    try:
        value = jsontext.loads_anyhow(line.rstrip().removesuffix(","))
    except ValueError as error:
        return ReadError(f"line {number} is not JSON: {error}")
    return record_of(source, value, number)


def array_of(source: SourceFile, text: str, at: int) -> Iterator[Document | ReadError]:
    """The documents of the elements of the array that opens at character `at`.

    What is no JSON ends it with a ReadError, and what was read before is kept.
    """
    return _records(source, text, jsontext.elements(text, at), "element")


def values_of(source: SourceFile, text: str) -> Iterator[Document | ReadError]:
    """The documents of values that stand one behind another, over as many lines as they like, or in one array."""
    start = len(text) - len(text.lstrip())
    if text.startswith("[", start):
        return array_of(source, text, start)
    return _records(source, text, jsontext.values(text), "value")


def _records(
    source: SourceFile, text: str, values: Iterator[tuple[int, object]], what: str
) -> Iterator[Document | ReadError]:
    place = LineCount(text)
    number = 0
    try:
        for number, (at, value) in enumerate(values, 1):
            yield record_of(source, value, place.line(at), number)
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
