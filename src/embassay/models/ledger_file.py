"""The file of a ledger: one SQLite database in WAL mode, which several processes share."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay import remedy
from embassay.errors import LedgerError
from embassay.files import make_private, private_folder, write_new
from embassay.sqlite import BUSY_SECONDS, NO_WRITING, is_damage, keep_wal, read_only, transaction

APPLICATION = 0x656D6C67
"""What SQLite calls the application id of a file: ``emlg``."""
VERSION = 1

_SCHEMA = """
CREATE TABLE entries (
    day TEXT NOT NULL,
    run TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    role TEXT NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0,
    texts INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    usd REAL NOT NULL DEFAULT 0,
    reported_usd REAL NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    lost_usd REAL NOT NULL DEFAULT 0,
    repeated INTEGER NOT NULL DEFAULT 0,
    repeated_usd REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (day, run, purpose, model, role)
) WITHOUT ROWID;
CREATE INDEX entries_run ON entries (run);
CREATE TABLE days (day TEXT PRIMARY KEY, usd REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE flights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    day TEXT NOT NULL,
    run TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    role TEXT NOT NULL,
    owner TEXT NOT NULL,
    texts INTEGER NOT NULL,
    usd REAL NOT NULL,
    marks BLOB NOT NULL,
    repeated INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
);
"""


class LedgerFile:
    """A connection that is opened when it is first used. Threads may share it, and a forked process opens its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._process = 0
        self._left: list[sqlite3.Connection] = []
        """Connections of a process that this one was forked from, which must not be closed here."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written."""
        return os.path.lexists(self.path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database for the time of the block. Raises LedgerError."""
        with self._lock, self._translated():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that takes the right to write at once: writers wait for each other. Raises LedgerError."""
        with self._lock, self._translated():
            db = self._connection()
            with transaction(db):
                yield db

    def close(self) -> None:
        """Close the file. It is opened again when it is next used."""
        with self._lock:
            if self._db is not None and self._process == os.getpid():
                self._db.close()
            self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is not None and self._process != os.getpid():
            self._left.append(self._db)
            self._db = None
        if self._db is None:
            self._db, self._process = self._open_or_read(), os.getpid()
        return self._db

    def _open_or_read(self) -> sqlite3.Connection:
        """One that is there and cannot be written, as on a disk that is read-only or full, is read as it stands."""
        try:
            return self._open()
        except (OSError, sqlite3.OperationalError) as error:
            is_words = isinstance(error, OSError) or any(word in str(error) for word in NO_WRITING)
            if not (is_words and self.path.is_file()) or self.path.is_symlink():
                raise
            db = read_only(self.path)
            self._check(db)
            return db

    def _open(self) -> sqlite3.Connection:
        private_folder(self.path.parent)
        if not write_new(self.path, "") and not stat.S_ISREG(self.path.lstat().st_mode):
            raise self._foreign()
        make_private([self.path])
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._check(db)
            keep_wal(db)
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA synchronous = NORMAL")
            self._create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        """Raises LedgerError for a file of somebody else, and for a ledger of a later version."""
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # first: another process may make them
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise self._foreign()
        if version > VERSION:
            raise LedgerError(
                f"{self.path} was written by a later embassay (format {version}, this one reads {VERSION}).",
                remedy=remedy.install("embassay", upgrade=True),
            )

    def _create(self, db: sqlite3.Connection) -> None:
        if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        with transaction(db):
            if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:  # another process may have been faster
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(f"PRAGMA user_version = {VERSION}")

    def _foreign(self) -> LedgerError:
        return LedgerError(
            f"{self.path} is no ledger of embassay, so it is left as it is.",
            remedy="Look at what it is, and remove it yourself.",
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if is_damage(error):
                mend = "What was spent before cannot be told; remove the file to begin a new ledger."
                raise LedgerError(f"{self.path} is damaged: {text}.", remedy=mend) from error
            mend = "Free space, or mend the permissions."
            raise LedgerError(f"{self.path} cannot be used: {text}.", remedy=mend) from error
        except OSError as error:
            mend = "Mend the permissions."
            raise LedgerError(f"{self.path} cannot be used: {error.strerror or error}.", remedy=mend) from error
