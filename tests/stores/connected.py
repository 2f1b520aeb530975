"""A store that has to be connected to, over SQLite: it proves that such a backend fits the contract.

One connection writes. Every snapshot has a connection of its own, whose read transaction pins the version, and which is
closed with the snapshot. `ConnectedSettings.connections` has those that are open.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from embassay.errors import StoreError
from embassay.stores.backends.memory import MemorySnapshot, StoredRow
from embassay.stores.values import VECTOR, Capabilities, Collection, Stats
from embassay.types import Chunk

CAPABILITIES = Capabilities()


class Connection(sqlite3.Connection):
    """One that `ConnectedSettings.connections` knows of as long as it is open."""

    known: set

    def close(self) -> None:
        super().close()
        self.known.discard(self)


@dataclass(frozen=True)
class ConnectedSettings:
    file: Path
    connections: set = field(default_factory=set)

    def connect(self) -> Connection:
        db = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, factory=Connection)
        db.known = self.connections
        self.connections.add(db)
        db.execute("PRAGMA journal_mode = WAL")
        return db


def settings_in(folder):
    return ConnectedSettings(folder / "connected.db")


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the store failed: {error}") from error


class ConnectedStore:
    def __init__(self, settings, collection: Collection, *, create: bool = False) -> None:
        self.collection, self._settings = collection, settings
        self._lock = threading.Lock()
        self._snapshots = set()
        self._db = settings.connect()
        try:
            self._open(create)
        except BaseException:
            self._db.close()
            raise

    def _open(self, create: bool) -> None:
        asked = json.dumps({label: asdict(spec) for label, spec in self.collection.vectors.items()})
        with translated():
            self._db.execute("CREATE TABLE IF NOT EXISTS collections (name TEXT PRIMARY KEY, vectors TEXT)")
            row = self._db.execute("SELECT vectors FROM collections WHERE name = ?", [self.collection.name]).fetchone()
            if row is None and not create:
                raise StoreError(f"there is no collection {self.collection.name}.")
            if row is not None and row[0] != asked:
                raise StoreError(f"the collection {self.collection.name} has the vectors {row[0]}, not {asked}.")
            if row is None:
                self._db.execute("BEGIN")
                self._db.execute(
                    f"CREATE TABLE {self.collection.name} (key TEXT PRIMARY KEY, chunk TEXT, vectors BLOB)"
                )
                self._db.execute("INSERT INTO collections VALUES (?, ?)", [self.collection.name, asked])
                self._db.execute("COMMIT")

    def upsert(self, chunks, vectors, stale=()) -> None:
        self.collection.check_rows(len(chunks), vectors)
        rows = [
            (
                c.key,
                json.dumps(asdict(c)),
                b"".join(np.float32(vectors[label][at]).tobytes() for label in self.collection.vectors),
            )
            for at, c in enumerate(chunks)
        ]
        with self._transaction():
            self._remove(stale)
            self._db.executemany(f"INSERT OR REPLACE INTO {self.collection.name} VALUES (?, ?, ?)", rows)

    def delete(self, keys) -> None:
        with self._transaction():
            self._remove(keys)

    def _remove(self, keys) -> None:
        self._db.executemany(f"DELETE FROM {self.collection.name} WHERE key = ?", [(key,) for key in keys])

    def snapshot(self):
        with self._transaction():
            """Fails if this store is closed."""
        with translated():
            made = ConnectedSnapshot(self._settings.connect(), self.collection)
        self._snapshots.add(made)
        return made

    def optimise(self, *, thorough=False) -> None:
        with self._transaction():
            """Every search is exact."""

    def drop(self) -> None:
        with self._transaction():
            self._db.execute(f"DROP TABLE {self.collection.name}")
            self._db.execute("DELETE FROM collections WHERE name = ?", [self.collection.name])

    def close(self) -> None:
        self._db.close()
        for snapshot in self._snapshots:
            snapshot.close()

    @contextmanager
    def _transaction(self):
        with translated(), self._lock:
            self._db.execute("BEGIN")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise


class ConnectedSnapshot:
    """Reads its rows anew for every question, so that only the transaction keeps it on its version."""

    def __init__(self, db, collection: Collection) -> None:
        self._db, self._collection = db, collection
        db.execute("BEGIN")
        db.execute(f"SELECT count(*) FROM {collection.name}").fetchone()  # the first read pins the version

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._db.close()

    def dense(self, vector, k, where=None, *, label=VECTOR):
        return self._rows().dense(vector, k, where, label=label)

    def lexical(self, query, k, where=None):
        return self._rows().lexical(query, k, where)

    def dense_scores(self, vector, refs, *, label=VECTOR):
        return self._rows().dense_scores(vector, refs, label=label)

    def lexical_scores(self, query, refs):
        return self._rows().lexical_scores(query, refs)

    def coarse(self, vector, k, form, where=None, *, label=VECTOR):
        return self._rows().coarse(vector, k, form, where, label=label)

    def vocabulary(self):
        return self._rows().vocabulary()

    def fetch(self, refs):
        return self._rows().fetch(refs)

    def count(self, where=None):
        return self._rows().count(where)

    def chunks(self, names, *, by="path"):
        return self._rows().chunks(names, by=by)

    def vectors(self, keys, *, label=VECTOR):
        return self._rows().vectors(keys, label=label)

    def refs(self, keys):
        return self._rows().refs(keys)

    def scan(self, labels=(VECTOR,), where=None):
        return self._rows().scan(labels, where)

    def stats(self):
        rows = self._rows().stats().rows
        return Stats(rows, rows, {})

    def _rows(self) -> MemorySnapshot:
        with translated():
            found = self._db.execute(f"SELECT chunk, vectors FROM {self._collection.name} ORDER BY rowid").fetchall()
        sizes = [spec.dimensions for spec in self._collection.vectors.values()]
        rows = []
        for text, blob in found:
            plain = json.loads(text)
            chunk = Chunk(**plain | {"lines": tuple(plain["lines"]), "span": tuple(plain["span"])})
            parts = np.split(np.frombuffer(blob, np.float32), np.cumsum(sizes)[:-1])
            rows.append(StoredRow(chunk, dict(zip(self._collection.vectors, parts, strict=True))))
        return MemorySnapshot(rows, self._collection)


def open_store(settings, collection, *, create=False):
    with translated():
        return ConnectedStore(settings, collection, create=create)
