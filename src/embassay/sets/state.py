"""`state.db`: which sets exist, which generation of each is live, and what every source file was when indexed.

Every read and write of a set goes through its live generation, so that switching to another one changes
one row. A source is marked pending before its rows change and settled after, so that a run which died in
between is found and repeated.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embassay.errors import HomeCorrupt, HomeError, HomeNotWritable, HomeTooNew, SetNotFound
from embassay.space import Space

VERSION = 1
"""Of the schema. A higher one in the file was written by a later embassay."""

UNSETTLED = -1
"""Time of a file that changed just before it was read: it is read again, its clock may not have ticked."""

_SCHEMA = """
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    set_name TEXT NOT NULL,
    store TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    space TEXT NOT NULL,
    model TEXT NOT NULL,
    precision TEXT NOT NULL,
    settings TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE sets (
    name TEXT PRIMARY KEY,
    live INTEGER NOT NULL REFERENCES generations (id)
) WITHOUT ROWID;
CREATE TABLE sources (
    generation INTEGER NOT NULL REFERENCES generations (id),
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ok', 'pending', 'failed')),
    reason TEXT NOT NULL DEFAULT '',
    documents INTEGER NOT NULL DEFAULT 0,
    chunks INTEGER NOT NULL DEFAULT 0,
    truncated INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (generation, path)
) WITHOUT ROWID;
"""


def new_collection() -> str:
    """A name that no collection had before, not even one that a lost state.db knew."""
    return f"g{secrets.token_hex(6)}"


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a set in one space."""

    id: int
    set_name: str
    store: str
    name: str
    """Of its collection in the store."""
    space: Space
    model: str
    """What the embedder is opened with: an id or a folder."""
    precision: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source file as it was when last indexed."""

    path: str
    size: int
    mtime_ns: int
    digest: str
    state: str = "ok"
    reason: str = ""
    documents: int = 0
    chunks: int = 0
    truncated: int = 0


_SOURCE = "path, size, mtime_ns, digest, state, reason, documents, chunks, truncated"


class State:
    """One connection, which threads may share."""

    def __init__(self, file: Path, *, create: bool = False) -> None:
        self.file = file
        self._lock = threading.RLock()
        with self._translated():
            self._db = _connect(file, create=create)
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise HomeTooNew(
                    f"{file} was written by a later embassay (format {version}, this one reads up to {VERSION}).",
                    remedy="Upgrade: pip install -U embassay",
                )
            if version == 0:
                self._initialise()

    def _initialise(self) -> None:
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sets'").fetchone():
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    def sets(self) -> list[str]:
        with self._translated():
            return [name for (name,) in self._db.execute("SELECT name FROM sets ORDER BY name")]

    def live(self, set_name: str) -> Generation:
        """The live generation of a set. Raises SetNotFound."""
        with self._translated():
            row = self._db.execute(
                "SELECT g.id, set_name, store, g.name, space, model, precision, settings FROM sets s "
                "JOIN generations g ON g.id = s.live WHERE s.name = ?",
                (set_name,),
            ).fetchone()
        if row is None:
            known = self.sets()
            hint = f"There are: {', '.join(known)}." if known else "Make one: embassay index FOLDER"
            raise SetNotFound(f"no set {set_name!r} in {self.file.parent}.", remedy=hint)
        try:
            identity, name, store, collection, space, model, precision, settings = row
            return Generation(
                identity,
                name,
                store,
                collection,
                Space.from_dict(json.loads(space)),
                model,
                precision,
                json.loads(settings),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise self._corrupt(error) from error

    def create(
        self,
        set_name: str,
        collection: str,
        *,
        store: str,
        space: Space,
        model: str,
        precision: str,
        settings: Mapping[str, Any],
    ) -> Generation:
        """A new set with a first generation, live at once. If another process was faster, that one's."""
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM sets WHERE name = ?", (set_name,)).fetchone():
                created = datetime.now(UTC).isoformat(timespec="seconds")
                values = (set_name, store, collection, json.dumps(space.to_dict()), model, precision)
                cursor = self._db.execute(
                    "INSERT INTO generations (set_name, store, name, space, model, precision, settings, created) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, json.dumps(settings), created),
                )
                self._db.execute("INSERT INTO sets VALUES (?, ?)", (set_name, cursor.lastrowid))
        return self.live(set_name)

    def sources(self, generation: Generation) -> list[SourceRow]:
        with self._translated():
            rows = self._db.execute(f"SELECT {_SOURCE} FROM sources WHERE generation = ?", (generation.id,))
            return [SourceRow(*row) for row in rows]

    def totals(self, generation: Generation) -> dict[str, int]:
        """Sums over the sources: documents, chunks, truncated, quarantined, pending."""
        with self._translated():
            row = self._db.execute(
                "SELECT coalesce(sum(documents), 0), coalesce(sum(chunks), 0), coalesce(sum(truncated), 0), "
                "count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'pending') "
                "FROM sources WHERE generation = ?",
                (generation.id,),
            ).fetchone()
        return dict(zip(("documents", "chunks", "truncated", "quarantined", "pending"), row, strict=True))

    def put(self, generation: Generation, rows: Iterable[SourceRow]) -> None:
        """Write sources, all or none."""
        values = [
            (generation.id, r.path, r.size, r.mtime_ns, r.digest, r.state, r.reason, r.documents, r.chunks, r.truncated)
            for r in rows
        ]
        with self._transaction():
            self._db.executemany(
                f"INSERT OR REPLACE INTO sources (generation, {_SOURCE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
            )

    def forget(self, generation: Generation, paths: Iterable[str]) -> None:
        with self._transaction():
            self._db.executemany(
                "DELETE FROM sources WHERE generation = ? AND path = ?", ((generation.id, path) for path in paths)
            )

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Holds the connection for one thread, and gives SQLite's errors our names."""
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            text = str(error)
            if "full" in text or "I/O" in text:
                raise HomeNotWritable(
                    "the disk is full; what was stored before is intact.", remedy="Free some space and run it again."
                ) from error
            if "locked" in text or "busy" in text:
                raise HomeError(
                    f"{self.file} is in use by another process.", remedy="Try again in a minute."
                ) from error
            if "readonly" in text or "unable to open" in text:
                raise HomeNotWritable(
                    f"{self.file} cannot be written ({text}).", remedy="Check its owner and mode."
                ) from error
            raise self._corrupt(error) from error
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> HomeCorrupt:
        return HomeCorrupt(
            f"{self.file} is damaged ({error}).",
            remedy=f"Restore it from a backup, or remove {self.file.parent} and index again.",
        )


def _connect(file: Path, *, create: bool) -> sqlite3.Connection:
    """Waits up to a minute for other processes. A home on a read-only disk is opened as it stands."""
    mode = "rwc" if create else "rw"
    uri = f"file:{_quoted(file)}?mode={mode}"
    try:
        db = sqlite3.connect(uri, uri=True, timeout=60, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if create or not file.is_file() or not any(word in str(error) for word in ("readonly", "unable to open")):
            raise
        db = sqlite3.connect(f"file:{_quoted(file)}?mode=ro&immutable=1", uri=True, isolation_level=None)
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _quoted(file: Path) -> str:
    from urllib.parse import quote

    return quote(str(file.absolute()))
