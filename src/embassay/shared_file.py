"""A small SQLite file of a home that several processes share: the ledger, the keys of a server.

It is private to the user, in WAL mode, and known by its application id; damage, a full disk and a file of somebody else
are told as errors of the tree.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embassay import remedy
from embassay.errors import EmbassayError
from embassay.files import make_private, private_folder, write_new
from embassay.sqlite import BUSY_SECONDS, NO_WRITING, is_damage, keep_wal, read_only, transaction


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is for."""

    called: str
    """In a word, such as ``ledger``."""
    application: int
    """What SQLite calls the application id of a file: four letters, by which one of ours is known."""
    steps: Sequence[str]
    """Statements with semicolons between: the first makes the tables, each further one a format of the one before."""
    error: type[EmbassayError]
    """What is raised where the file cannot be used."""
    after_damage: str
    """What helps where it is damaged, as a sentence."""
    synchronous: Literal["NORMAL", "FULL"] = "NORMAL"
    """What SQLite does at each commit: ``FULL`` keeps it through a loss of power as well."""


class SharedFile:
    """A connection that is opened when it is first used. Threads may share it, and a forked process opens its own."""

    def __init__(self, path: Path, kind: FileKind) -> None:
        self.path, self.kind = path, kind
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._process = 0
        self.reads_only = False
        """Whether the file could only be read when it was opened: what others write since then is not seen."""
        self._left: list[sqlite3.Connection] = []
        """Connections of a process that this one was forked from, which must not be closed here."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever written."""
        return os.path.lexists(self.path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database for the time of the block. Raises `FileKind.error`."""
        with self._lock, self._translated():
            yield self._connection()

    def data_version(self) -> int:
        """A number that changes when another connection has written the file. Raises `FileKind.error`."""
        with self._lock:
            try:
                return int(self._connection().execute("PRAGMA data_version").fetchone()[0])
            except (sqlite3.DatabaseError, OSError) as error:
                raise self._error_of(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which writes from its start: writers wait for each other. Raises `FileKind.error`."""
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
            self.reads_only = False
            return self._open()
        except (OSError, sqlite3.OperationalError) as error:
            is_words = isinstance(error, OSError) or any(word in str(error) for word in NO_WRITING)
            if not (is_words and self.path.is_file()) or self.path.is_symlink():
                raise
            db = read_only(self.path)
            self._check(db)
            self.reads_only = True
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
            db.execute(f"PRAGMA synchronous = {self.kind.synchronous}")
            self._create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check(self, db: sqlite3.Connection) -> None:
        """Raises `FileKind.error` for a file of somebody else, and for one of a later version."""
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # first: another process may make them
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        if application != self.kind.application and (application or version or tables):
            raise self._foreign()
        if version > len(self.kind.steps):
            raise self.kind.error(
                f"{self.path} was written by a later embassay "
                f"(format {version}, this one reads {len(self.kind.steps)}).",
                remedy=remedy.install("embassay", upgrade=True),
            )

    def _create(self, db: sqlite3.Connection) -> None:
        latest = len(self.kind.steps)
        if db.execute("PRAGMA user_version").fetchone()[0] == latest:
            return
        with transaction(db):
            (version,) = db.execute("PRAGMA user_version").fetchone()  # another process may have been faster
            for step in self.kind.steps[version:]:
                for statement in step.split(";"):
                    db.execute(statement)
            db.execute(f"PRAGMA application_id = {self.kind.application}")
            db.execute(f"PRAGMA user_version = {latest}")

    def _foreign(self) -> EmbassayError:
        return self.kind.error(
            f"{self.path} is no {self.kind.called} of embassay, so it is left as it is.",
            remedy="Look at what it is, and remove it yourself.",
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._error_of(error) from error

    def _error_of(self, error: sqlite3.DatabaseError | OSError) -> EmbassayError:
        if isinstance(error, OSError):
            said = error.strerror or error
            return self.kind.error(f"{self.path} cannot be used: {said}.", remedy="Mend the permissions.")
        if is_damage(error):
            return self.kind.error(f"{self.path} is damaged: {error}.", remedy=self.kind.after_damage)
        mend = "Free space, or mend the permissions."
        return self.kind.error(f"{self.path} cannot be used: {error}.", remedy=mend)
