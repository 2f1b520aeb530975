"""The one way to a terminal: whatever a command prints passes `embassay.text.printable`, however it is printed.

Documents, file names, model names and servers may hold codes that a terminal obeys. A command prints by `console` and
`messages` of `embassay.cli.common`, which clean every piece of text; whatever else writes to stdout or stderr while it
runs, a library or a forgotten ``print``, is cleaned by the streams themselves.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from embassay.text import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment


_BLANKS = re.compile(r"[ \t]+(?=\n)")


def printable_streams() -> None:
    """Make stdout and stderr take whatever is printed: a character that they have no bytes for becomes ``?``."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", errors="replace"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper) and not (is_utf8(stream) and stream.errors != "strict"):
            stream.reconfigure(errors="replace")


def is_utf8(stream: TextIO) -> bool:
    """Whether every character has bytes there."""
    return (stream.encoding or "").lower().replace("_", "-") in ("utf-8", "utf8")


def abandon(stream: TextIO) -> None:
    """Nothing more is written to it, not even what waits to be written at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Forgiving:
    """A stream for remarks: where there is no room for them, or nobody to read them, the work goes on without."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, words: str) -> int:
        """Write `words`, if that can be."""
        try:
            self.stream.write(words)
        except OSError:
            abandon(self.stream)
        return len(words)

    def flush(self) -> None:
        """Write what waits, if that can be."""
        try:
            self.stream.flush()
        except OSError:
            abandon(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Trimmed:
    """A stream that is no terminal: the blanks with which a console fills its lines up are left out."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, words: str) -> int:
        """Write `words`, which end with a line, without the blanks in front of each line's end."""
        self.stream.write(_BLANKS.sub("", words))
        return len(words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Guarded:
    """A stream that lets no code through which a terminal would obey. Everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, words: str) -> int:
        """Write what may be shown of `words`; their length, as if all had been written."""
        self.stream.write(printable(words, lines=True))
        return len(words)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write one after the other."""
        for words in lines:
            self.write(words)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Stdout and stderr let nothing through, for the time of the block, but what the consoles print."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Guarded(before[0]), Guarded(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def raw(stream: TextIO) -> TextIO:
    """The stream behind the guard: for consoles, whose colours are codes as well."""
    return stream.stream if isinstance(stream, Guarded) else stream


def make_console(stream: TextIO, **options: Any) -> Console:
    """A console that cleans all text that it prints. Nothing in a string is markup."""
    from rich.console import Console

    class Output(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            """Every piece of text on its way out comes through here, that of tables and of progress bars too."""
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable():
                    yield segment
                else:
                    yield segment._replace(text=printable(segment.text, lines=True))

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # whoever reads has gone: the command ends well

    file: Any = Forgiving(raw(stream)) if options.get("stderr") else raw(stream)
    if not raw(stream).isatty():
        file = Trimmed(file)
        options["force_interactive"] = False  # colours can be forced into a file, bars that move cannot
    return Output(file=file, highlight=False, markup=False, emoji=False, **options)
