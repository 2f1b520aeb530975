"""Keys one at a time, and lines, from a terminal or a pipe."""

from __future__ import annotations

import codecs
import os
import re
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]|O.|)")
"""What arrows, function keys and Escape itself send."""
END_OF_INPUT = "\x04"
"""What Ctrl-D is, where each key is read by itself."""
BLOCK = 4096


class Keyboard:
    """Standard input, for the time of a ``with`` block in which nobody else reads it.

    A terminal gives each key at once and does not show it; Ctrl-C and Ctrl-Z do what they always do.
    """

    def __init__(self) -> None:
        self._number = _number()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._read = ""
        self._ended = self._number is None
        self._inside = False
        """Whether keys were taken of the line that is being read, and its rest is none of ours."""
        self._modes: Any = None
        self.is_terminal = self._number is not None and os.isatty(self._number)

    def __enter__(self) -> Keyboard:
        if self.is_terminal:
            with suppress(ImportError):  # Windows: a key counts once Enter comes behind it
                import termios

                self._modes = termios.tcgetattr(self._number)  # type: ignore[arg-type]
                self._one_by_one()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._by_lines()

    def key(self) -> str:
        """The next key that is no blank; empty at the end. What arrows and their like send is passed over."""
        while self._fill():
            if self.is_terminal and (sent := SEQUENCE.match(self._read)):
                self._read = self._read[sent.end() :]
                continue
            key, self._read = self._read[0], self._read[1:]
            if key == END_OF_INPUT and self.is_terminal:
                return ""
            self._inside = key != "\n"
            if not key.isspace():
                return key
        return ""

    def line(self) -> str:
        """The next line without its end, or as far as there is one; empty at the end."""
        self._by_lines()
        try:
            if self._inside and not self.is_terminal:
                self._until_break()
            self._inside = False
            return self._until_break().strip()
        finally:
            self._one_by_one()

    def _until_break(self) -> str:
        line = ""
        while "\n" not in self._read:
            line, self._read = line + self._read, ""
            if not self._fill():
                return line
        rest, _, self._read = self._read.partition("\n")
        return line + rest

    def _fill(self) -> bool:
        """Whether there is something that was read and not given out yet; waits for it."""
        while not self._read and not self._ended:
            try:
                data = os.read(self._number, BLOCK)  # type: ignore[arg-type]
            except OSError:  # the terminal has gone
                data = b""
            self._read = self._decoder.decode(data, final=not data)
            self._ended = not data
        return bool(self._read)

    def _one_by_one(self) -> None:
        if self._modes is not None:
            import termios
            import tty

            tty.setcbreak(self._number, termios.TCSADRAIN)  # type: ignore[arg-type]

    def _by_lines(self) -> None:
        if self._modes is not None:
            import termios

            with suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(self._number, termios.TCSADRAIN, self._modes)  # type: ignore[arg-type]


def _number() -> int | None:
    """Of the file that standard input is; None where it is closed, or no file."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None
