"""A migration in a process of its own, which outlives whoever started it, and gives way to other work."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import MigrationState, SetInUse
from embassay.sets.migration.job import opened
from embassay.sets.migration.status import MigrationStatus, status_of_migration

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets

NICE = 15
"""How much it gives way: searches beside it get nearly all of the processor when they ask for it."""
START_SECONDS = 20.0
"""How long it is waited for until the process is at work."""
LAST_CHARACTERS = 500
"""Of its log, that are quoted where it does not come that far."""


def start(sets: OpenSets, name: str) -> MigrationStatus:
    """Have the open migration of a set gone on with in the background; how it stands once that is at work.

    The process reads the configuration as this one would, from the same folder and environment. Raises SetInUse where a
    process is at it already, and MigrationState where there is no migration, or the process ended at once.
    """
    migration = opened(sets.writable_state(), name)
    before = status_of_migration(sets, name)
    if before.at_work:
        raise SetInUse(
            f"process {before.process} is at the migration of set {name!r}.",
            remedy=remedy.command("migrate", name, status=True, say="Look at it"),
        )
    log = sets.folder.lock_file(sets.state.generation(migration.generation), "log")
    process = _spawn(sets, name, log)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        found = status_of_migration(sets, name)
        if found.at_work and found.process.endswith(f":{process.pid}"):
            return found
        if process.poll() is not None:
            if process.returncode == 0 or found.updated != migration.updated:  # it did what there was to do
                return found
            raise MigrationState(f"the migration of set {name!r} ended at once: {_end_of(log)}", remedy=before.next)
        time.sleep(0.05)
    return status_of_migration(sets, name)


def _spawn(sets: OpenSets, name: str, log: Path) -> subprocess.Popen[bytes]:
    asked = remedy.Command("migrate", (name,), (("resume", True), ("home", str(sets.folder.folder)))).in_shell()
    command = [sys.executable, "-m", *shlex.split(asked)]
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, close_fds=True
        )
    with suppress(OSError, AttributeError):  # where there are no priorities, or it has ended
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return process


def _end_of(log: Path) -> str:
    with suppress(OSError):
        return " ".join(log.read_text("utf-8", "replace")[-LAST_CHARACTERS:].split()) or "it said nothing."
    return "it said nothing."
