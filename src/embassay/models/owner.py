"""Processes by which reservations are held, and whether they still run."""

from __future__ import annotations

import os
import socket
import sys
from functools import cache
from pathlib import Path

LOST_SECONDS = 3600.0
"""After so long a reservation of a process that cannot be looked at counts as lost."""


def this_process() -> str:
    """``host:pid:start`` of this process, where `start` tells it from another one that got its number."""
    return _named(os.getpid())


def is_gone(owner: str, seconds: float) -> bool:
    """Whether a process has ended that reserved something `seconds` ago."""
    there = is_there(owner)
    return seconds > LOST_SECONDS if there is None else not there


def is_there(owner: str) -> bool | None:
    """Whether the process that is called `owner` runs; None for one of another machine, which cannot be looked at.

    A number that another process has by now, or has on this machine, to which a home was moved, is not taken for it.
    """
    host, number, start = [*owner.split(":", 2), "", ""][:3]
    if host != socket.gethostname() or not number.isdigit() or sys.platform == "win32":
        return None
    return runs(int(number)) and (not start or _start(int(number)) in ("", start))


def runs(process: int) -> bool:
    """Whether a process of this machine is there and has not ended; one that nobody has asked about yet has."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return _fields(process)[:1] != ["Z"]


@cache
def _named(process: int) -> str:
    return f"{socket.gethostname()}:{process}:{_start(process)}"


def _start(process: int) -> str:
    """When a process was started, in the system's own ticks; empty where the system does not say."""
    fields = _fields(process)
    return fields[19] if len(fields) > 19 else ""


def _fields(process: int) -> list[str]:
    """What the system says of a process, from its state on; nothing where it does not say."""
    try:
        line = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return line.rpartition(")")[2].split()
