"""What every SQLite file of ours is used with: transactions, the log that readers do not wait for, and damage."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

BUSY_SECONDS = 60.0
"""How long one process waits for another one that is writing."""
NO_WRITING = ("readonly", "unable to open", "full", "I/O")
"""Words of errors of a file that cannot be written, and may be read all the same."""
ASKED = 500
"""Values in one statement; SQLite bounds how many it takes."""
_DAMAGE = ("malformed", "not a database", "no such table", "no such column")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the right to write from the start, so that two writers wait instead of failing.

    `db` is a connection without a transaction of its own: one that was opened with ``isolation_level=None``.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has rolled it back already
            db.execute("ROLLBACK")
        raise


def keep_wal(db: sqlite3.Connection) -> None:
    """Have the file in WAL mode. SQLite does not wait for others where it changes the mode, so that is done here."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def read_only(file: Path) -> sqlite3.Connection:
    """The file as it stands, with what a process that was killed has left in the log beside it.

    SQLite keeps an index of such a log in a file that cannot be made here: a connection of its own keeps it in memory.
    """
    log = file.with_name(f"{file.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    how = "vfs=unix-none" if has_log else "immutable=1"
    db = sqlite3.connect(f"{uri_of(file)}?mode=ro&{how}", uri=True, isolation_level=None, check_same_thread=False)
    if has_log:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
    return db


def uri_of(file: Path) -> str:
    """The address of a file for SQLite, without options."""
    return f"file:{quote(str(file.absolute()))}"


def in_parts(values: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    """As many of the values as one statement takes, and the places for them in an ``IN``, until all were given."""
    for at in range(0, len(values), ASKED):
        part = values[at : at + ASKED]
        yield part, ", ".join("?" * len(part))


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error says that a file is not what it was written as."""
    return any(words in str(error) for words in _DAMAGE)


def each_statement(db: sqlite3.Connection, script: str) -> None:
    """Run a script statement by statement: `executescript` would commit the transaction that is open."""
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)
