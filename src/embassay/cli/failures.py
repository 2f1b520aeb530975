"""How a command that failed says so: a sentence on stderr, and for a program one JSON document on stdout."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

from embassay.cli import exits, interrupts
from embassay.cli.exits import ExitCode
from embassay.cli.terminal import abandon
from embassay.errors import EmbassayError
from embassay.text import printable


@dataclass(frozen=True, slots=True)
class Failure:
    """What is told of an exception."""

    code: str
    """Stable: that of an `EmbassayError`, or one of the five that only a process knows: ``interrupted``, ``declined``,
    ``os_error``, ``out_of_memory`` and ``unexpected``."""
    message: str
    exit: ExitCode
    remedy: str = ""
    more: dict[str, object] = field(default_factory=dict)
    """Fields for programs."""

    def to_dict(self) -> dict[str, object]:
        """The document that a program reads: ``{"error": {"code", "message", "remedy", "actions", ...}}``."""
        said = {"code": self.code, "message": self.message, "remedy": self.remedy, "actions": []}
        return {"error": said | self.more}


def failure_of(error: BaseException) -> Failure:
    """`error` as this command line words it. Whatever nobody foresaw is a defect of ours: ``unexpected``."""
    if interrupts.came() and not isinstance(error, (EmbassayError, KeyboardInterrupt)):
        error = KeyboardInterrupt()
    code = exits.of(error)
    if isinstance(error, EmbassayError):
        remedy = error.remedy.in_shell()
        return Failure(error.code, error.message, code, remedy, error.to_dict() | {"remedy": remedy})
    if isinstance(error, KeyboardInterrupt):
        return Failure("interrupted", str(error) or "stopped.", code)
    if isinstance(error, OSError):
        if isinstance(error, FileNotFoundError) and not _has_working_folder():
            return Failure("os_error", "the working folder is gone.", code, "Change into one that exists.")
        where = f"{error.filename}: " if error.filename else ""
        return Failure("os_error", f"{where}{error.strerror or error}.", code)
    if isinstance(error, MemoryError):
        return Failure("out_of_memory", "out of memory.", code)
    said = f"unexpected {type(error).__name__}: {error}."
    return Failure("unexpected", said, code, "EMBASSAY_DEBUG=1 shows where.")


def _has_working_folder() -> bool:
    try:
        return bool(os.getcwd())  # noqa: PTH109 - no path is needed
    except OSError:
        return False


def tell(failure: Failure, *, as_json: bool) -> None:
    """One line on stderr; the document alone on stdout where a program asked for JSON."""
    from embassay.cli.common import print_json

    try:
        if as_json:
            print_json(failure.to_dict())
        sys.stdout.flush()
    except OSError:  # nobody reads it, or there is no room for it: the exit code says as much
        abandon(sys.stdout)
    words = printable(f"{failure.message} {failure.remedy}")
    try:
        print(f"embassay: {' '.join(words.split())}", file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        abandon(sys.stderr)
