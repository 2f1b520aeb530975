"""Vectors that were paid for once, and how documents were cut: one SQLite file.

Several processes may share a file. Reads and writes go window by window, so that a stopped run keeps what it made.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embassay import remedy
from embassay.embedders.keeper import Kept
from embassay.errors import CacheError
from embassay.files import make_private, private_folder, write_new
from embassay.models.cache_file import APPLICATION, is_cache
from embassay.seals import seal
from embassay.sqlite import BUSY_SECONDS, is_damage, keep_wal, transaction

VERSION = 2
"""1 had neither checks of its rows nor canaries: what such a file holds cannot be trusted, and is made again."""
USED_GRAIN = 3600
"""Seconds: when an entry was last used is noted no finer, so that reading seldom writes."""

_SCHEMA = """
CREATE TABLE vectors (
    key BLOB NOT NULL UNIQUE,
    vector BLOB NOT NULL,
    tokens INTEGER NOT NULL,
    long INTEGER NOT NULL,
    seal TEXT NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL
);
CREATE INDEX vectors_used ON vectors (used);
CREATE TABLE cuts (key BLOB PRIMARY KEY, pieces BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE canaries (key BLOB PRIMARY KEY, vectors BLOB NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('hits', 0), ('misses', 0);
"""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache holds, and how often it was asked in vain."""

    path: str
    entries: int
    bytes: int
    hits: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        """Share of the texts that were looked up whose vectors were there, 0 to 1. None where none was looked up."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def to_dict(self) -> dict[str, object]:
        """The fields and the hit rate, as JSON has them."""
        names = ("path", "entries", "bytes", "hits", "misses", "hit_rate")
        return {name: getattr(self, name) for name in names}


class VectorCache:
    """The file. Threads may share it; it is opened when it is first used."""

    def __init__(self, path: Path, max_bytes: int = 5_000_000_000) -> None:
        self.path, self.max_bytes = path, max_bytes
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._hits = self._misses = 0

    def get(self, keys: Sequence[bytes], ttl: float | None = None) -> dict[bytes, Kept]:
        """Those of `keys` that are kept and no older than `ttl` seconds; a row that was tampered with is not there.

        Raises CacheError.
        """
        now = int(time.time())
        found: dict[bytes, Kept] = {}
        with self._opened() as db:
            stale = []
            marks = ",".join("?" * len(keys))
            query = f"SELECT key, vector, tokens, long, seal, made, used FROM vectors WHERE key IN ({marks})"
            for key, vector, tokens, long, sealed, made, used in db.execute(query, keys):
                if sealed != seal(key, vector, tokens, long):
                    continue
                if ttl is None or made + ttl > now:
                    found[key] = Kept(vector, tokens, long)
                    if used < now - USED_GRAIN:
                        stale.append((now, key))
            if stale:
                with transaction(db):
                    db.executemany("UPDATE vectors SET used = ? WHERE key = ?", stale)
        return found

    def tell(self, hits: int, misses: int) -> None:
        """Count texts whose vectors were found, and texts whose vectors were not, for the statistics."""
        with self._lock:
            self._hits += hits
            self._misses += misses

    def put(self, rows: Iterable[tuple[bytes, Kept]]) -> None:
        """Store entries; the least recently used go when the file outgrows its bound. Raises CacheError."""
        now = int(time.time())
        with self._opened() as db, transaction(db):
            db.executemany(
                "INSERT OR REPLACE INTO vectors (key, vector, tokens, long, seal, made, used) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(key, e.vector, e.tokens, e.long, seal(key, e.vector, e.tokens, e.long), now, now) for key, e in rows],
            )
            self._count(db)
            if self._bytes(db) > self.max_bytes:
                self._shrink(db, int(self.max_bytes * 0.9))

    def recall(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """How documents were cut before, see `embassay.ingest.chunk.Memory`. Raises CacheError."""
        with self._opened() as db:
            marks = ",".join("?" * len(keys))
            return dict(db.execute(f"SELECT key, pieces FROM cuts WHERE key IN ({marks})", keys))

    def remember(self, cuts: Mapping[bytes, bytes]) -> None:
        """Keep encoded cuts of documents by their keys. Raises CacheError."""
        now = int(time.time())
        if cuts:
            with self._opened() as db, transaction(db):
                db.executemany("INSERT OR REPLACE INTO cuts VALUES (?, ?, ?)", [(k, v, now) for k, v in cuts.items()])
                if self._bytes(db) > self.max_bytes:
                    self._shrink(db, int(self.max_bytes * 0.9))

    def canaries(self, key: bytes) -> bytes | None:
        """Vectors of canaries, see `embassay.models.canaries`; None where there are none, or tampered ones.

        Raises CacheError.
        """
        with self._opened() as db:
            row = db.execute("SELECT vectors, seal FROM canaries WHERE key = ?", (key,)).fetchone()
        return row[0] if row and row[1] == seal(key, row[0]) else None

    def keep_canaries(self, key: bytes, vectors: bytes) -> bytes:
        """Keep vectors of canaries unless there are some, which are returned then. They are never pruned.

        Raises CacheError.
        """
        with self._opened() as db, transaction(db):
            row = db.execute("SELECT vectors, seal FROM canaries WHERE key = ?", (key,)).fetchone()
            if row and row[1] == seal(key, row[0]):
                return bytes(row[0])
            db.execute("INSERT OR REPLACE INTO canaries VALUES (?, ?, ?)", (key, vectors, seal(key, vectors)))
        return vectors

    def stats(self) -> CacheStats:
        """Size and use of the cache. Raises CacheError."""
        if not self._is_there():
            return CacheStats(str(self.path), 0, 0, 0, 0)
        with self._opened() as db, transaction(db):
            self._count(db)
            (entries,) = db.execute("SELECT count(*) FROM vectors").fetchone()
            counters = dict(db.execute("SELECT name, value FROM counters"))
            return CacheStats(str(self.path), entries, self._bytes(db), counters["hits"], counters["misses"])

    def prune(self, max_bytes: int) -> int:
        """Forget the least recently used until the file is no larger than `max_bytes`; how many went."""
        if not self._is_there():
            return 0
        with self._opened() as db:
            with transaction(db):
                gone = self._shrink(db, max_bytes)
            db.execute("VACUUM")
            return gone

    def clear(self) -> None:
        """Delete the file, if it is a cache. Raises CacheError for any other file, which stays as it is."""
        with self._lock:
            self.close()
            with self._translated():
                if not self._is_there():
                    return
                if not is_cache(self.path):
                    raise self._foreign()
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Write the counts of hits and misses, and close the file. It is opened again when it is next used."""
        with self._lock:
            if self._db is None:
                return
            try:
                if self._hits or self._misses:
                    with transaction(self._db):
                        self._count(self._db)
            except sqlite3.Error:
                pass  # statistics are not worth a failure at the end
            finally:
                self._db.close()
                self._db = None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            if self._db is None:
                self._db = self._open()
            yield self._db

    def _is_there(self) -> bool:
        """Whether something of that name exists, a link that leads nowhere included."""
        return os.path.lexists(self.path)

    def _open(self) -> sqlite3.Connection:
        private_folder(self.path.parent)
        if not write_new(self.path, "") and not is_cache(self.path, or_empty=True):
            raise self._foreign()
        make_private([self.path])
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise CacheError(
                    f"{self.path} was written by a later embassay (format {version}, this one reads {VERSION}).",
                    remedy=remedy.install("embassay", upgrade=True, say="Upgrade: {};")
                    + remedy.command("cache clear", say="or forget it"),
                )
            if version == 0:
                db.execute("PRAGMA page_size = 16384")  # vectors of 1.5 to 16 kB, without much waste
                db.execute(f"PRAGMA application_id = {APPLICATION}")  # first of all: whoever sees a file knows it
            keep_wal(db)
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA mmap_size = 268435456")
            if version < VERSION:
                self._create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _foreign(self) -> CacheError:
        mend = remedy.setting("cache", "{path: ...}", say="Look at what it is, and remove it yourself, or set {}.")
        return CacheError(f"{self.path} is no cache of embassay, so it is left as it is.", remedy=mend)

    def _create(self, db: sqlite3.Connection) -> None:
        with transaction(db):
            if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:  # another process may have been faster
                for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    db.execute(f'DROP TABLE "{table}"')
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")

    def _count(self, db: sqlite3.Connection) -> None:
        counts = [(self._hits, "hits"), (self._misses, "misses")]
        db.executemany("UPDATE counters SET value = value + ? WHERE name = ?", counts)
        self._hits = self._misses = 0

    def _bytes(self, db: sqlite3.Connection) -> int:
        used = db.execute("PRAGMA page_count").fetchone()[0] - db.execute("PRAGMA freelist_count").fetchone()[0]
        return int(used * db.execute("PRAGMA page_size").fetchone()[0])

    def _shrink(self, db: sqlite3.Connection, goal: int) -> int:
        """Cuts go first: they are soon made again."""
        gone = 0
        if self._bytes(db) > goal:
            db.execute("DELETE FROM cuts")
        while (size := self._bytes(db)) > goal:
            (entries,) = db.execute("SELECT count(*) FROM vectors").fetchone()
            if not entries:
                break
            share = max(1, min(entries, int(entries * (size - goal) / size) + 1))
            oldest = "SELECT key FROM vectors ORDER BY used LIMIT ?"
            gone += db.execute(f"DELETE FROM vectors WHERE key IN ({oldest})", (share,)).rowcount
        return gone

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if is_damage(error):
                raise CacheError(
                    f"{self.path} is damaged: {text}.", remedy=remedy.command("cache clear", say="Forget it")
                ) from error
            mend = remedy.setting("cache_enabled", "false", say="Free space, mend the permissions, or set {}.")
            raise CacheError(f"{self.path} cannot be used: {text}.", remedy=mend) from error
        except OSError as error:
            mend = remedy.setting("cache", "{path: ...}", say="Mend the permissions, or set {}.")
            raise CacheError(f"{self.path} cannot be used: {error.strerror or error}.", remedy=mend) from error
