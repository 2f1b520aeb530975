"""The exit codes of the command line: the only table of them."""

from __future__ import annotations

from enum import IntEnum

from embassay.errors import Interrupted, MigrationPaused, UsageError


class ExitCode(IntEnum):
    """A number for scripts, in a few words for `--help`, and in whole ones for the docs."""

    words: str
    meaning: str

    def __new__(cls, number: int, words: str, meaning: str) -> ExitCode:
        made = int.__new__(cls, number)
        made._value_ = number
        made.words, made.meaning = words, meaning
        return made

    DONE = 0, "done", "done"
    FAILED = (
        1,
        "failed or unwell",
        "failed, or `doctor`, `config check`, `judge check`, `monitor check`, `models probe` or one model of several "
        "has a problem",
    )
    USAGE = 2, "usage", "wrong usage"
    QUARANTINED = 3, "some documents quarantined", "done, but some documents are quarantined"
    GATE_FAILED = (
        4,
        "a gate failed",
        "done, but a gate of `eval`, or a check of a migration, does not hold, or a trial has gone back",
    )
    PAUSED = (
        5,
        "paused",
        "a migration is paused, because of a cap, a quota, a provider or the disk, and can be resumed; or a trial is "
        "due, and what was observed does not decide it",
    )
    INTERRUPTED = 130, "Ctrl-C", "stopped by Ctrl-C; the work so far is kept"
    TERMINATED = 143, "SIGTERM", "stopped by SIGTERM; the work so far is kept"


EPILOG = f"Exit codes: {', '.join(f'{code.value} {code.words}' for code in ExitCode)}."
"""The last line of every `--help`."""


def of(error: BaseException) -> ExitCode:
    """What the command line exits with after `error`."""
    if isinstance(error, (KeyboardInterrupt, Interrupted)):
        return ExitCode.INTERRUPTED
    if isinstance(error, MigrationPaused):
        return ExitCode.PAUSED
    return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILED


def markdown() -> str:
    """The table as the docs show it."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(("| code | meaning |", "|---|---|", *rows))
