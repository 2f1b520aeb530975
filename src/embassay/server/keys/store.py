"""The keys of a home, in a SQLite file of their own that all its servers share.

A server holds all keys in memory, and looks before each request whether anybody has changed them, so that a key which
is revoked anywhere is refused from then on: whoever changes keys raises a number in the file of their use, which is
mapped into memory. Ten times a second the database itself is asked as well (``PRAGMA data_version``), for a process
that was killed before it raised the number, and for a file that was put in the place of another.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import msgspec

from embassay import remedy
from embassay.errors import UsageError
from embassay.server.keys.key import NO_DIGEST, ApiKey, Grant, digest_of, new_id, new_token
from embassay.server.keys.principal import Right
from embassay.server.keys.rates import PerMinute
from embassay.server.keys.use import USE_FILE, UseFile
from embassay.server.refusals import KeysError
from embassay.shared_file import FileKind, SharedFile

KEYS_FILE = "keys.db"
LOOK_SECONDS = 0.1
"""How often the database is asked although nobody said that it was changed."""
LONGEST_NAME = 64
_TABLE = """
CREATE TABLE keys (
    slot INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    access TEXT NOT NULL,
    sets TEXT,
    models TEXT,
    rpm INTEGER,
    tpm INTEGER,
    expires REAL,
    created REAL NOT NULL,
    digest BLOB NOT NULL,
    old_digest BLOB NOT NULL,
    old_until REAL NOT NULL,
    revoked REAL
);
CREATE UNIQUE INDEX keys_name ON keys (name) WHERE revoked IS NULL
"""
KEYS = FileKind(
    "file of keys",
    0x656D6B79,  # emky
    (_TABLE,),
    KeysError,
    "Restore it from a backup, or remove it and make new keys: until then nobody is let in.",
    synchronous="FULL",  # a key that is revoked stays so when the power fails
)


Digest = Annotated[bytes, msgspec.Meta(min_length=len(NO_DIGEST), max_length=len(NO_DIGEST))]
Limit = Annotated[int, msgspec.Meta(ge=1)]


class _Row(msgspec.Struct, array_like=True):
    """The columns, of the types that they have to be of."""

    slot: Limit
    id: str
    name: str
    access: Right
    sets: str | None
    models: str | None
    rpm: Limit | None
    tpm: Limit | None
    expires: float | None
    created: float
    digest: Digest
    old_digest: Digest
    old_until: float
    revoked: float | None


_COLUMNS = ", ".join(_Row.__struct_fields__)


class KeyStore:
    """The keys of one home. Threads may share it."""

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.time, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        """Nothing is made before the first key is. `clock` tells seconds since 1970; `warn` is told where the use of
        keys cannot be shared with other processes."""
        self.file = SharedFile(folder / KEYS_FILE, KEYS)
        self.use = UseFile(folder / USE_FILE, warn)
        self._clock = clock
        self._lock = threading.RLock()
        self._known: Mapping[str, ApiKey] = MappingProxyType({})
        self._changes: int | None = None
        self._look_at = 0.0
        self._version: tuple[int, ...] = ()
        """What the file was when `_known` was read of it."""

    def create(self, name: str, grant: Grant) -> tuple[ApiKey, str]:
        """A new key, and what its holder has to send: that is kept nowhere. Raises UsageError, KeysError."""
        check_key_name(name)
        key_id = new_id()
        token = new_token(key_id)
        sets, models = (
            None if names is None else msgspec.json.encode(sorted(names)).decode()
            for names in (grant.sets, grant.models)
        )
        row = (key_id, name, grant.right, sets, models, grant.rates.requests, grant.rates.tokens, grant.expires,
               self._clock(), digest_of(token), NO_DIGEST, 0.0, None)  # fmt: skip
        with self._lock:
            with self.file.writing() as db:
                if _live(db, name):
                    again = remedy.command("keys rotate", name, say="For a new secret of the same key: {}.")
                    raise UsageError(f"there is a key {name!r} already.", remedy=again)
                db.execute(f"INSERT INTO keys ({_COLUMNS}) VALUES (NULL, {', '.join('?' * len(row))})", row)
            return self._read()[key_id], token

    def revoke(self, name: str) -> ApiKey:
        """Let nobody in with this key any more. Raises UsageError for a key that is not there, KeysError."""
        with self._lock:
            with self._writing() as db:
                key_id = self._named(db, name).id
                db.execute("UPDATE keys SET revoked = ? WHERE id = ?", (self._clock(), key_id))
            return self._read()[key_id]

    def rotate(self, name: str, grace: float = 0.0) -> tuple[ApiKey, str]:
        """Another secret for a key; the one before is good for `grace` seconds more. Raises UsageError, KeysError."""
        with self._lock:
            with self._writing() as db:
                key, now = self._named(db, name), self._clock()
                if key.state(now) == "expired":
                    raise UsageError(f"the key {name!r} has expired.", remedy=f"Revoke it, and make {name!r} anew.")
                token = new_token(key.id)
                db.execute(
                    "UPDATE keys SET digest = ?, old_digest = ?, old_until = ? WHERE id = ?",
                    (digest_of(token), key.digest, now + grace, key.id),
                )
            return self._read()[key.id], token

    def all(self) -> list[ApiKey]:
        """Every key that was ever made, also those that are revoked. Raises KeysError."""
        return list(self.current().values())

    def current(self) -> Mapping[str, ApiKey]:
        """The keys by their ids, as they are now; empty where none was ever made.

        Raises KeysError, also where the file is gone since it was read: a server that had keys does without none.
        """
        changes = self.use.changes() if self._known else None
        now = time.monotonic()
        if changes is not None and changes == self._changes and now < self._look_at:
            return self._known
        found = self._looked()
        self._changes, self._look_at = changes, now + LOOK_SECONDS
        return found

    def _looked(self) -> Mapping[str, ApiKey]:
        """The same, by asking the file."""
        with self._lock:
            try:
                there = self.file.path.stat()
            except FileNotFoundError:
                if not self._version:
                    return self._known
                mend = "Restore it, or start the server anew if no key is to be needed."
                raise KeysError(f"{self.file.path} is gone.", remedy=mend) from None
            except OSError as error:
                raise KeysError(f"{self.file.path} cannot be read: {error.strerror}.", remedy="") from error
            if self._version and self._version[:2] != (there.st_dev, there.st_ino):
                self.file.close()  # another file has taken its place
            if self.file.reads_only and self._version[3:] != _written(self.file.path):
                self.file.close()
            version = self.file.data_version()
            if self._version[:3] != (there.st_dev, there.st_ino, version):
                with self.file.reading() as db:
                    self._known = _rows(db)
                written = _written(self.file.path) if self.file.reads_only else ()
                self._version = (there.st_dev, there.st_ino, version, *written)
            return self._known

    def close(self) -> None:
        """Close the files. They are opened again when they are next used."""
        self.file.close()
        self.use.close()

    def _read(self) -> Mapping[str, ApiKey]:
        """The keys after a change of our own, which ``data_version`` does not tell of."""
        self._version = self._version[:2]
        self.use.changed()
        return self._looked()

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        if not self.file.is_there:
            raise no_key("", ())
        return self.file.writing()

    def _named(self, db: sqlite3.Connection, name: str) -> ApiKey:
        if found := _live(db, name):
            return found
        raise no_key(name, [key.name for key in _rows(db).values() if key.revoked is None])


def check_key_name(name: str) -> None:
    """Raises UsageError for what cannot name a key."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise UsageError(f"{name[:100]!r} cannot name a key: 1 to {LONGEST_NAME} printable characters.")


def no_key(name: str, known: Sequence[str]) -> UsageError:
    """The error for a key that is not there."""
    there = remedy.say(f"There are: {', '.join(sorted(known))}.")
    return UsageError(
        f"no key {name!r} that is not revoked." if name else "no key was made yet.",
        remedy=there if known else remedy.command("keys create", "NAME", say="Make one"),
    )


def _live(db: sqlite3.Connection, name: str) -> ApiKey | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM keys WHERE name = ? AND revoked IS NULL", (name,)).fetchone()
    return _key(row) if row else None


def _rows(db: sqlite3.Connection) -> Mapping[str, ApiKey]:
    keys = map(_key, db.execute(f"SELECT {_COLUMNS} FROM keys ORDER BY slot"))
    return MappingProxyType({key.id: key for key in keys})


def _key(row: Sequence[object]) -> ApiKey:
    """Raises KeysError for a row that no key of ours has: nothing is guessed of what a key may do."""
    try:
        kept = msgspec.convert(row, _Row)
        grant = Grant(kept.access, _names(kept.sets), _names(kept.models), PerMinute(kept.rpm, kept.tpm), kept.expires)
    except msgspec.MsgspecError as error:
        raise KeysError(f"a row of {KEYS_FILE} is damaged.", remedy=KEYS.after_damage) from error
    return ApiKey(kept.slot, kept.id, kept.name, grant, kept.created, kept.digest, kept.old_digest, kept.old_until,
               kept.revoked)  # fmt: skip


def _names(stored: str | None) -> tuple[str, ...] | None:
    return None if stored is None else msgspec.json.decode(stored, type=tuple[str, ...])


def _written(file: Path) -> tuple[int, ...]:
    """When a file and its log were written, for one that SQLite only reads as it stood."""
    found = []
    for path in (file, file.with_name(f"{file.name}-wal")):
        try:
            seen = path.stat()
            found += [seen.st_mtime_ns, seen.st_size]
        except OSError:
            found += [0, 0]
    return tuple(found)
