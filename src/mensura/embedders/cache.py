"""Vectors that were paid for once: SQLite, keyed by space, precision, role and exact text.

Several processes may share a file. Reads and writes go window by window, so that a stopped run keeps what it made.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mensura.embedders.base import Embedder, check_role
from mensura.embedders.wrapper import Wrapper, innermost
from mensura.errors import CacheError, TextRefused, TextTooLong
from mensura.types import NO_USAGE, Embeddings, OnLong, Role, Usage

if TYPE_CHECKING:
    from mensura.space import Space
    from mensura.types import Vectors

VERSION = 1
WINDOW_TEXTS = 1024
AHEAD_TEXTS = 16_384
"""Texts whose vectors may wait for those of texts before them."""
USED_GRAIN = 3600
"""Seconds: when an entry was last used is noted no finer, so that reading seldom writes."""
BUSY_SECONDS = 60.0
_FITS, _TRUNCATED, _SPLIT = 0, 1, 2

_SCHEMA = """
CREATE TABLE vectors (
    key BLOB NOT NULL UNIQUE,
    vector BLOB NOT NULL,
    tokens INTEGER NOT NULL,
    long INTEGER NOT NULL,
    made INTEGER NOT NULL,
    used INTEGER NOT NULL
);
CREATE INDEX vectors_used ON vectors (used);
CREATE TABLE cuts (key BLOB PRIMARY KEY, pieces BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('hits', 0), ('misses', 0);
"""


@dataclass(frozen=True, slots=True)
class CacheStats:
    path: str
    entries: int
    bytes: int
    hits: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def to_dict(self) -> dict[str, Any]:
        names = ("path", "entries", "bytes", "hits", "misses", "hit_rate")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Entry:
    """One cached vector, as its float32 bytes."""

    vector: bytes
    tokens: int
    long: int
    """0 it fitted, 1 it was cut, 2 it was split."""


class VectorCache:
    """The file. Threads may share it; it is opened when it is first used."""

    def __init__(self, path: Path, max_bytes: int = 5_000_000_000) -> None:
        self.path, self.max_bytes = path, max_bytes
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._hits = self._misses = 0

    def get(self, keys: Sequence[bytes], ttl: float | None = None) -> dict[bytes, Entry]:
        """The entries that are there. Raises CacheError."""
        now = int(time.time())
        found: dict[bytes, Entry] = {}
        with self._opened() as db:
            stale = []
            marks = ",".join("?" * len(keys))
            query = f"SELECT key, vector, tokens, long, made, used FROM vectors WHERE key IN ({marks})"
            for key, vector, tokens, long, made, used in db.execute(query, keys):
                if ttl is None or made + ttl > now:
                    found[key] = Entry(vector, tokens, long)
                    if used < now - USED_GRAIN:
                        stale.append((now, key))
            if stale:
                with _write(db):
                    db.executemany("UPDATE vectors SET used = ? WHERE key = ?", stale)
        return found

    def tell(self, hits: int, misses: int) -> None:
        """For the statistics."""
        with self._lock:
            self._hits += hits
            self._misses += misses

    def put(self, rows: Iterable[tuple[bytes, Entry]]) -> None:
        """Store entries; the least recently used go when the file outgrows its bound. Raises CacheError."""
        now = int(time.time())
        with self._opened() as db, _write(db):
            db.executemany(
                "INSERT OR REPLACE INTO vectors (key, vector, tokens, long, made, used) VALUES (?, ?, ?, ?, ?, ?)",
                [(key, e.vector, e.tokens, e.long, now, now) for key, e in rows],
            )
            self._count(db)
            if self._bytes(db) > self.max_bytes:
                self._shrink(db, int(self.max_bytes * 0.9))

    def recall(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """How documents were cut before, see `mensura.ingest.chunk.Memory`. Raises CacheError."""
        with self._opened() as db:
            marks = ",".join("?" * len(keys))
            return dict(db.execute(f"SELECT key, pieces FROM cuts WHERE key IN ({marks})", keys))

    def remember(self, cuts: Mapping[bytes, bytes]) -> None:
        """Raises CacheError."""
        now = int(time.time())
        if cuts:
            with self._opened() as db, _write(db):
                db.executemany("INSERT OR REPLACE INTO cuts VALUES (?, ?, ?)", [(k, v, now) for k, v in cuts.items()])
                if self._bytes(db) > self.max_bytes:
                    self._shrink(db, int(self.max_bytes * 0.9))

    def stats(self) -> CacheStats:
        """Raises CacheError."""
        if not self.path.exists():
            return CacheStats(str(self.path), 0, 0, 0, 0)
        with self._opened() as db, _write(db):
            self._count(db)
            (entries,) = db.execute("SELECT count(*) FROM vectors").fetchone()
            counters = dict(db.execute("SELECT name, value FROM counters"))
            return CacheStats(str(self.path), entries, self._bytes(db), counters["hits"], counters["misses"])

    def prune(self, max_bytes: int) -> int:
        """Forget the least recently used until the file is no larger than `max_bytes`; how many went."""
        if not self.path.exists():
            return 0
        with self._opened() as db:
            with _write(db):
                gone = self._shrink(db, max_bytes)
            db.execute("VACUUM")
            return gone

    def clear(self) -> None:
        """Delete the file, whatever is in it."""
        with self._lock:
            self.close()
            try:
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
            except OSError as error:
                raise CacheError(f"{self.path} cannot be deleted: {error.strerror}.") from error

    def close(self) -> None:
        with self._lock:
            if self._db is None:
                return
            try:
                if self._hits or self._misses:
                    with _write(self._db):
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

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise CacheError(
                    f"{self.path} was written by a later mensura (format {version}, this one reads {VERSION}).",
                    remedy="Upgrade: pip install -U mensura; or forget it: mensura cache clear",
                )
            if version == 0:
                db.execute("PRAGMA page_size = 16384")  # vectors of 1.5 to 16 kB, without much waste
            if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA mmap_size = 268435456")
            if version == 0:
                self._create(db)
        except BaseException:
            db.close()
            raise
        return db

    def _create(self, db: sqlite3.Connection) -> None:
        with _write(db):
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:  # another process may have been faster
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
            if "malformed" in text or "not a database" in text or "no such table" in text or "no such column" in text:
                raise CacheError(f"{self.path} is damaged: {text}.", remedy="Forget it: mensura cache clear") from error
            remedy = "Free space, mend the permissions, or set cache_enabled: false."
            raise CacheError(f"{self.path} cannot be used: {text}.", remedy=remedy) from error
        except OSError as error:
            remedy = "Mend the permissions, or set cache: {path: ...}."
            raise CacheError(f"{self.path} cannot be used: {error.strerror or error}.", remedy=remedy) from error


@dataclass(slots=True)
class _Run:
    """What windows of one run share: a text that comes again is not asked for again."""

    asked: set[bytes] = field(default_factory=set)
    made: dict[bytes, Entry] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Window:
    """Consecutive texts, of which some were found and the others are on their way."""

    run: _Run
    keys: Sequence[bytes]
    blank: Sequence[bool]
    found: Mapping[bytes, Entry]
    missing: Sequence[int]
    """Positions whose vectors are to come."""
    got: int = 0
    usage: Usage = NO_USAGE

    @property
    def complete(self) -> bool:
        return self.got == len(self.missing)

    def entry(self, at: int) -> Entry | None:
        return self.found.get(self.keys[at]) or self.run.made.get(self.keys[at])


class Cached(Wrapper):
    """An embedder whose vectors are looked up before they are made."""

    def __init__(self, inner: Embedder, cache: VectorCache, ttl: float | None = None) -> None:
        super().__init__(inner)
        self._cache, self._ttl = cache, ttl
        self._kept: set[bytes] = set()
        """Stored as they arrived, and not handed on yet."""
        if hasattr(source := innermost(inner), "arrived"):
            source.arrived = self._keep

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        source = iter(texts)
        start = 0
        while window_texts := list(islice(source, WINDOW_TEXTS)):
            window = self._look_up(window_texts, role, on_long, _Run())
            if window.complete:
                yield self._finish(window, role)
                start += len(window_texts)
                continue
            for made, count in self._run(window, window_texts, source, start, role, on_long):
                yield made
                start += count

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """A few texts take the inner embedder's own short way."""
        check_role(role)
        if len(texts) > WINDOW_TEXTS:
            return super().embed(texts, role, on_long)
        window = self._look_up(texts, role, on_long, _Run())
        if not window.complete:
            try:
                made = self.inner.embed([texts[at] for at in window.missing], role, on_long)
            except TextTooLong as error:
                raise TextTooLong(window.missing[error.position], error.tokens, error.limit) from error
            except TextRefused as error:
                raise TextRefused(window.missing[error.position], error.reason) from error
            self._take(window, made, on_long)
        return self._finish(window, role)

    @property
    def memory(self) -> VectorCache:
        return self._cache

    def cached(self, texts: Sequence[str], role: Role, space: Space | None = None) -> Embeddings | None:
        """Short texts only: those that are cut or split are not looked for."""
        space = space or self.space
        keys = self._keys(texts, role, space)
        found = self._cache.get(list(dict.fromkeys(keys)), self._ttl)
        if len(found) < len(set(keys)):
            return None
        return self._finish(_Window(_Run(), keys, [False] * len(keys), found, ()), role, space)

    def _look_up(self, texts: Sequence[str], role: Role, on_long: OnLong, run: _Run) -> _Window:
        keys = self._keys(texts, role, self.space)
        blank = [not text or text.isspace() for text in texts]
        found = self._found(keys, blank, on_long)
        missing = []
        for at, key in enumerate(keys):
            if key not in found and key not in run.asked and not blank[at]:
                missing.append(at)
                run.asked.add(key)
        return _Window(run, keys, blank, found, missing)

    def _found(self, keys: Sequence[bytes], blank: Sequence[bool], on_long: OnLong) -> dict[bytes, Entry]:
        """What is there of whole texts that the present limit admits; else of texts cut or split as asked now."""
        wanted = list(dict.fromkeys(key for key, empty in zip(keys, blank, strict=True) if not empty))
        limit = self.tokens.max_tokens
        found = {key: entry for key, entry in self._cache.get(wanted, self._ttl).items() if entry.tokens <= limit}
        absent = {self._long_key(key, on_long): key for key in wanted if key not in found}
        if absent and on_long != "error":
            found |= {absent[key]: entry for key, entry in self._cache.get(list(absent), self._ttl).items()}
        self._cache.tell(len(found), len(wanted) - len(found))
        return found

    def _long_key(self, key: bytes, on_long: OnLong) -> bytes:
        """Of a text that does not fit: its vector depends on what is done about it, and on the limit."""
        return blake2b(f"{on_long} {self.tokens.max_tokens}".encode(), key=key, digest_size=16).digest()

    def _keys(self, texts: Sequence[str], role: Role, space: Space) -> list[bytes]:
        base = blake2b(f"{space.digest}\0{self.precision}\0{role}\0".encode(), digest_size=16)
        keys = []
        for text in texts:
            digest = base.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys

    def _keep(
        self, texts: Sequence[str], role: Role, vectors: Sequence[Vectors], tokens: Sequence[int], cut: Sequence[bool]
    ) -> None:
        """Store what a provider has just answered, whatever becomes of the call that asked."""
        keys = self._keys(texts, role, self.space)
        rows = [
            (self._long_key(key, "truncate"), Entry(vector.tobytes(), count, _TRUNCATED))
            if short
            else (key, Entry(vector.tobytes(), count, _FITS))
            for key, vector, count, short in zip(keys, vectors, tokens, cut, strict=True)
        ]
        self._cache.put(rows)
        self._kept.update(key for key, _ in rows)

    def _run(
        self, first: _Window, first_texts: Sequence[str], source: Iterator[str], start: int, role: Role, on_long: OnLong
    ) -> Iterator[tuple[Embeddings, int]]:
        """One run of the inner embedder over the misses of many windows, which are completed in order."""
        windows: deque[_Window] = deque([first])
        positions: list[int] = [start + at for at in first.missing]

        def misses() -> Iterator[str]:
            yield from (first_texts[at] for at in first.missing)
            ahead = at_start = len(first_texts)
            while ahead < AHEAD_TEXTS and (texts := list(islice(source, WINDOW_TEXTS))):
                window = self._look_up(texts, role, on_long, first.run)
                windows.append(window)
                positions.extend(start + at_start + at for at in window.missing)
                ahead += len(texts)
                at_start += len(texts)
                yield from (texts[at] for at in window.missing)

        try:
            with closing(self.inner.stream(misses(), role, on_long)) as blocks:  # type: ignore[type-var]
                for block in blocks:
                    used = 0
                    while used < len(block):
                        window = next(windows[i] for i in range(len(windows)) if not windows[i].complete)
                        used += self._take(window, _slice(block, used, len(window.missing) - window.got), on_long)
                    while windows and windows[0].complete:
                        window = windows.popleft()
                        yield self._finish(window, role), len(window.keys)
        except TextTooLong as error:
            raise TextTooLong(positions[error.position], error.tokens, error.limit) from error
        while windows:
            window = windows.popleft()
            yield self._finish(window, role), len(window.keys)

    def _take(self, window: _Window, made: Embeddings, on_long: OnLong) -> int:
        """Store what was made, and keep it for its window; how many rows that was."""
        limit = self.tokens.max_tokens
        rows = []
        for at in range(len(made)):
            key = window.keys[window.missing[window.got + at]]
            if at in made.refused:
                window.run.refused[key] = made.refused[at]
                continue
            long = _FITS
            if made.truncated[at]:
                long = _TRUNCATED
            elif at in made.split or (on_long == "split" and made.tokens[at] > limit):
                long = _SPLIT
            entry = window.run.made[key] = Entry(made.vectors[at].tobytes(), made.tokens[at], long)
            stored = key if long == _FITS else self._long_key(key, on_long)
            if stored in self._kept:
                self._kept.discard(stored)
            else:
                rows.append((stored, entry))
        if rows:
            self._cache.put(rows)
        window.usage += made.usage
        window.got += len(made)
        return len(made)

    def _finish(self, window: _Window, role: Role, space: Space | None = None) -> Embeddings:
        import numpy as np

        space = space or self.space
        dimensions = space.dimensions
        nothing = Entry(bytes(dimensions * 4), 0, _FITS)
        entries = [
            nothing if blank else window.entry(at) or nothing  # a refused text has none
            for at, blank in enumerate(window.blank)
        ]
        vectors = np.frombuffer(bytearray().join([e.vector for e in entries]), np.float32)
        refused = window.run.refused
        asked = sum(not blank for blank in window.blank)
        return Embeddings(
            vectors=vectors.reshape(len(entries), dimensions),
            tokens=[e.tokens for e in entries],
            truncated=[e.long == _TRUNCATED for e in entries],
            space=space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(window.usage, cached=asked - window.got),
            refused={at: refused[key] for at, key in enumerate(window.keys) if key in refused} if refused else {},
        )


def _slice(block: Embeddings, start: int, count: int) -> Embeddings:
    """Rows `start` to `start + count`; the usage goes with the first."""
    if start == 0 and count >= len(block):
        return block
    end = min(len(block), start + count)
    return replace(
        block,
        vectors=block.vectors[start:end],
        tokens=block.tokens[start:end],
        truncated=block.truncated[start:end],
        usage=block.usage if start == 0 else Usage(),
        refused={at - start: reason for at, reason in block.refused.items() if start <= at < end},
    )


@contextmanager
def _write(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction that takes the right to write at once: two writers wait for each other, none fails."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk has rolled it back already
            db.execute("ROLLBACK")
        raise
