"""Standard input: texts, of which each line is one, or a file of records."""

from __future__ import annotations

import sys
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from embassay import remedy
from embassay.errors import ReadError, UsageError

if TYPE_CHECKING:
    from embassay.ingest.base import SourceFile

_GIVE = 'Pass -c "some text", or lines on stdin.'


def stdin_lines(encoding: str = "") -> list[str]:
    """The lines of standard input, blank ones included, so that the n-th of them is the n-th text.

    A line ends in ``\\n`` or ``\\r\\n``, and in nothing else that Unicode calls an end of lines. `encoding` is a name
    that Python knows; by default the input is UTF-8, or what its byte-order mark says. Raises UsageError where nothing
    was given, and where the input is not of that encoding.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("no text was given.", remedy=_GIVE)
    text = _decoded(sys.stdin.buffer.read(), encoding)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not lines[-1]:
        lines.pop()  # the last line ended as the others did
    if not any(map(str.strip, lines)):
        raise UsageError("stdin holds no text.", remedy=_GIVE)
    return lines


def piped_file(format: str) -> SourceFile:
    """Standard input as a file of this format, which may be of any length. It can be opened once.

    Raises UsageError where nothing was given.
    """
    from embassay.ingest.base import WHOLE, SourceFile

    class Piped(SourceFile):
        """What stands in no memory at once. Its size is not known, but it is more than any that may."""

        size = WHOLE + 1

        def open(self) -> BinaryIO:
            return cast(
                "BinaryIO", BufferedReader(cast("RawIOBase", Joined(head, cast("BufferedReader", sys.stdin.buffer))))
            )

    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("no records were given.", remedy="Name a file, or send records to stdin.")
    name = Path(f"stdin.{format}")
    head = sys.stdin.buffer.read(WHOLE + 1)
    return SourceFile(name, "stdin", head) if len(head) <= WHOLE else Piped(name, "stdin")


class Joined(RawIOBase):
    """Bytes that were read already, and the stream that they come from behind them."""

    def __init__(self, head: bytes, stream: BufferedReader) -> None:
        self._head, self._stream = memoryview(head), stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`, as far as there is something."""
        part = self._head[: len(buffer)] or self._stream.read1(len(buffer))
        self._head = self._head[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def _decoded(data: bytes, encoding: str) -> str:
    """The input as text. Nothing is guessed: a vector of a misread text looks like any other."""
    from embassay.ingest.decode import marked_encoding, wide_encoding

    name = encoding or marked_encoding(data) or "utf-8"
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"stdin is not {encoding or 'UTF-8'}: byte 0x{data[error.start]:02X} in line {line:,}.", remedy=_try(data)
        ) from None
    except LookupError:
        raise UsageError(f"there is no encoding {encoding!r}.", remedy="Pass one that Python knows.") from None
    if name == "utf-8" and "\0" in text and wide_encoding(data) is not None:
        raise UsageError("stdin is not UTF-8: every other byte is zero.", remedy=_try(data))
    return text


def _try(data: bytes) -> remedy.Remedy | str:
    from embassay.ingest.decode import decode, wide_encoding
    from embassay.ingest.encodings import guessed

    try:
        decode(data)
        name = wide_encoding(data) or guessed(data)
        return remedy.option("encoding", name, say="If that is what it looks like, pass {}.")
    except ReadError:
        return "Pass text."
