"""The command that runs, by its name: what money is spent for, as the ledger has it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

COMMAND: ContextVar[str] = ContextVar("command", default="command")
"""As it is typed: ``index``, ``judge new``."""
_FOLDER = "embassay.cli.commands."


def name_of(command: Callable[..., None]) -> str:
    """The name of a command, from the module that it stands in."""
    return command.__module__.removeprefix(_FOLDER).replace(".", " ").replace("_", "-")
