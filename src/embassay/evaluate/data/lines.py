"""Text files and JSON lines, read so that an error names the file and the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from embassay import jsontext
from embassay.errors import JudgedSetError

MAX_LINE = 16_000_000
"""Characters of a line: a file without line ends would be one string, and as JSON twenty times that."""


def bounded_lines(file: Path, stream: TextIO) -> Iterator[tuple[int, str]]:
    """(line number, line with its end) of an open file. Raises JudgedSetError for a line above `MAX_LINE`."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise JudgedSetError(f"{file}:{number}: the line is longer than {MAX_LINE:,} characters.")
        yield number, line


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line number, line) of every line that is not blank. Raises JudgedSetError if the file cannot be read."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in bounded_lines(file, stream):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise JudgedSetError(f"{file} cannot be read: {reason}.") from error


def json_lines(file: Path, expected: str) -> Iterator[tuple[int, dict[str, object]]]:
    """(line number, object) of every line of JSON. Raises JudgedSetError, which says what was `expected` instead."""
    for number, line in lines_of(file):
        try:
            row = jsontext.loads(line)
            if "\\u" in line:  # half of a pair of surrogates is JSON, and no text
                jsontext.dumps(row).encode()
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise malformed(file, number, expected, line)
        yield number, row


def malformed(file: Path, number: int, expected: str, found: object) -> JudgedSetError:
    """The error that says what a line should have held and how it begins instead."""
    try:
        shown = found if isinstance(found, str) else jsontext.dumps(found)
    except (ValueError, RecursionError):  # what could just be read may nest too deeply to be written
        shown = type(found).__name__
    return JudgedSetError(f"{file}:{number}: expected {expected}, found {shown[:60]!r}.")
