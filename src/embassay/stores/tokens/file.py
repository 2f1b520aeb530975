"""The token vectors of one collection: an SQLite file beside its rows, by the keys of its chunks.

Rows of the collection are written first of all, so what a killed run leaves is a list of texts that are due, and never
a token that belongs to no row. A key comes from the text of its chunk, and a digest of what the model read stands with
its tokens, so that those of an older text are never taken for those of a newer one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay import remedy
from embassay.errors import StoreError
from embassay.files import disk_full, make_private, not_writable, write_new
from embassay.sqlite import BUSY_SECONDS, NO_WRITING, in_parts, is_damage, keep_wal, read_only, transaction
from embassay.stores.tokens.codes import NAME, PackedTokens

if TYPE_CHECKING:
    from embassay.types import Chunk

SUFFIX = ".tokens"
VERSION = 1
_SCHEMA = (
    "CREATE TABLE said (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tokens (key TEXT NOT NULL UNIQUE, text BLOB NOT NULL, vectors INTEGER NOT NULL, ids BLOB NOT NULL, "
    "codes BLOB NOT NULL)",
    "CREATE TABLE due (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
)


class TokenFile:
    """One file. Threads may share it; it is opened when it is first used."""

    def __init__(self, path: Path, space: str) -> None:
        """`space` is the digest of the one that the collection lives in: tokens of another one, or packed in another
        way, are not there."""
        self.path, self._space = path, f"{space} {NAME}"
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether the collection has tokens, or is about to get some."""
        return self.path.is_file()

    def create(self) -> None:
        """Make the file where it is missing, or in the place of one that is damaged or of another space.

        Raises HomeNotWritable.
        """
        with self._lock:
            if self.exists and not self._serves():
                self.remove()
            with self._opened(create=True):
                """It is made by being opened."""

    def remove(self) -> None:
        """Remove the file, damaged or not."""
        with self._lock:
            self.close()
            try:
                for end in ("", "-wal", "-shm"):
                    self.path.with_name(self.path.name + end).unlink(missing_ok=True)
            except OSError as error:
                raise not_writable(self.path, error.strerror or str(error)) from error

    def get(self, chunks: Sequence[Chunk]) -> dict[str, PackedTokens]:
        """The tokens of those of `chunks` that have some, by their keys. Raises StoreError."""
        texts = {chunk.key: digest_of(chunk.indexed) for chunk in chunks}
        found: dict[str, PackedTokens] = {}
        with self._opened() as db:
            for part, marks in in_parts([*texts] if self._is_ours(db) else []):
                query = f"SELECT key, text, vectors, ids, codes FROM tokens WHERE key IN ({marks})"
                for key, text, vectors, ids, codes in db.execute(query, part):
                    if text == texts[key]:
                        found[key] = _read(vectors, ids, codes, self.path)
        return found

    def note(self, chunks: Iterable[Chunk]) -> None:
        """That these have to get tokens, unless they have them. Raises StoreError, HomeNotWritable."""
        with self._opened() as db, transaction(db):
            for chunk in chunks:
                row = db.execute("SELECT text FROM tokens WHERE key = ?", (chunk.key,)).fetchone()
                if row is None or row[0] != digest_of(chunk.indexed):
                    db.execute("INSERT OR REPLACE INTO due VALUES (?, ?)", (chunk.key, chunk.indexed))

    def forget(self, keys: Sequence[str]) -> None:
        """Remove what there is of these keys. Raises StoreError, HomeNotWritable."""
        with self._opened() as db, transaction(db):
            for part, marks in in_parts(keys):
                db.execute(f"DELETE FROM tokens WHERE key IN ({marks})", part)
                db.execute(f"DELETE FROM due WHERE key IN ({marks})", part)

    def due(self, count: int) -> dict[str, str]:
        """Texts that have to get tokens, by their keys; at most so many. Raises StoreError."""
        with self._opened() as db:
            return dict(db.execute("SELECT key, text FROM due ORDER BY key LIMIT ?", (count,)))

    def put(self, texts: Mapping[str, str], packed: Mapping[str, PackedTokens]) -> None:
        """Keep the tokens of `texts`, by their keys, which are due no more. Raises StoreError, HomeNotWritable."""
        with self._opened() as db, transaction(db):
            rows = [(key, digest_of(texts[key]), *_written(packed[key])) for key in packed]
            db.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?)", rows)
            db.executemany("DELETE FROM due WHERE key = ? AND text = ?", [*texts.items()])

    def keep_only(self, keys: Iterable[str]) -> None:
        """Remove what there is of any other key. Raises StoreError, HomeNotWritable."""
        known = set(keys)
        with self._opened() as db:
            listed = [key for (key,) in db.execute("SELECT key FROM tokens UNION SELECT key FROM due")]
        self.forget([key for key in listed if key not in known])

    @property
    def whole(self) -> bool:
        """Whether every row of the collection was noted once; from then on it is by whoever writes it."""
        with self._opened() as db:
            return _said(db, "whole") == b"1"

    def note_whole(self) -> None:
        """That it is so. Raises StoreError, HomeNotWritable."""
        with self._opened() as db, transaction(db):
            db.execute("INSERT OR REPLACE INTO said VALUES ('whole', ?)", (b"1",))

    def counts(self) -> tuple[int, int, int]:
        """Chunks that have tokens, those that are due, and bytes of all tokens. Raises StoreError."""
        with self._opened() as db:
            rows, size = db.execute("SELECT count(*), total(length(ids) + length(codes)) FROM tokens").fetchone()
            return int(rows), int(db.execute("SELECT count(*) FROM due").fetchone()[0]), int(size)

    def close(self) -> None:
        """Close the file; it is opened again when it is next used."""
        with self._lock:
            db, self._db = self._db, None
        if db:
            db.close()

    def _serves(self) -> bool:
        """Whether the file can be read and is of this space."""
        try:
            with self._opened() as db:
                return self._is_ours(db)
        except StoreError:
            return False

    def _is_ours(self, db: sqlite3.Connection) -> bool:
        return _said(db, "space") == self._space.encode()

    @contextmanager
    def _opened(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            if self._db is None:
                self._db = self._open(create)
            yield self._db

    def _open(self, create: bool) -> sqlite3.Connection:
        if create:
            write_new(self.path, "")  # SQLite gives the files beside it the same rights
            make_private([self.path])
        elif not self.exists:
            raise StoreError(f"{self.path} is gone.", remedy=remedy.command("index", tokens=True))
        try:
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                db.execute("PRAGMA page_size = 16384")  # a row of some kilobytes lies in one page
                keep_wal(db)
                db.execute("PRAGMA trusted_schema = OFF")
                db.execute("PRAGMA synchronous = NORMAL")
                self._begin(db)
            except BaseException:
                db.close()
                raise
        except sqlite3.OperationalError as error:
            if create or not any(words in str(error) for words in NO_WRITING):
                raise
            db = read_only(self.path)
        return db

    def _begin(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a later embassay (format {version}, this one reads {VERSION}).",
                remedy=remedy.install("embassay", upgrade=True),
            )
        if version < VERSION:
            with transaction(db):
                if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:  # another process may have been faster
                    for statement in _SCHEMA:
                        db.execute(statement)
                    db.execute("INSERT INTO said VALUES ('space', ?)", (self._space.encode(),))
                    db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "full" in text:
                raise disk_full() from error
            if is_damage(error):
                raise _damaged(self.path, text) from error
            raise StoreError(
                f"{self.path} cannot be used: {text}.", remedy="Look at its rights and its disk."
            ) from error
        except OSError as error:
            raise not_writable(self.path, error.strerror or str(error)) from error


def digest_of(text: str) -> bytes:
    """Which text tokens were made of."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _said(db: sqlite3.Connection, name: str) -> bytes:
    row = db.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else b""


def _written(tokens: PackedTokens) -> tuple[int, bytes, bytes]:
    return len(tokens.codes), tokens.ids.astype("<i4").tobytes(), tokens.codes.tobytes()


def _read(vectors: int, ids: bytes, codes: bytes, path: Path) -> PackedTokens:
    if len(ids) % 4 or vectors < 0 or (len(codes) % vectors if vectors else codes):
        raise _damaged(path, "a row has a length that no tokens have")
    return PackedTokens(
        np.frombuffer(ids, "<i4"), np.frombuffer(codes, np.uint8).reshape(vectors, -1 if vectors else 0)
    )


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{path}, the token vectors of the set, is damaged: {why}.",
        remedy=remedy.command("index", tokens=True, say="Have them made again"),
    )
