"""One SQLite file that threads share: opened, moved forward to the present schema, its errors given our names."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from embassay.errors import HomeCorrupt, HomeError, UsageError
from embassay.files import disk_full, not_writable
from embassay.sets import schema
from embassay.sqlite import BUSY_SECONDS, NO_WRITING, read_only, transaction, uri_of

Row = TypeVar("Row")


class Database:
    """A connection to `state.db`. Threads may share it: one statement or one transaction at a time."""

    def __init__(self, file: Path, *, create: bool = False, busy_seconds: float = BUSY_SECONDS) -> None:
        """`busy_seconds`: how long another process that is writing is waited for.

        Raises HomeTooNew, HomeCorrupt, HomeNotWritable.
        """
        self.file = file
        self._lock = threading.RLock()
        self._seen: set[tuple[type, ...]] = set()
        """Types of rows that were found good: most rows have those of the one before."""
        try:
            with self._translated():
                self._db = _open(file, create=create, busy_seconds=busy_seconds)
        except (
            ValueError,
            AttributeError,
            TypeError,
            KeyError,
        ) as error:  # of a row that an earlier format cannot have had
            raise self.corrupt(error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread. Raises HomeError and its kin for whatever SQLite says."""
        with self._translated():
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection inside of a transaction, which is undone where the block raises."""
        with self._translated(), transaction(self._db):
            yield self._db

    def checked(self, row: Row) -> Row:
        """A dataclass made of what stands in a row. Raises HomeCorrupt where a field is of another type: SQLite keeps
        a text where a number belongs."""
        kind: Any = type(row)
        types = (kind, *map(type, _values_of(kind)(row)))
        if types in self._seen:
            return row
        for name, allowed in _types_of(kind).items():
            value = getattr(row, name)
            if type(value) not in allowed:
                found = f"{name} of a {type(row).__name__} is {type(value).__name__} {str(value)[:40]!r}"
                raise self.corrupt(TypeError(found))
        self._seen.add(types)
        return row

    def corrupt(self, error: Exception) -> HomeCorrupt:
        """The error for a file whose content cannot be understood."""
        return HomeCorrupt(
            f"{self.file} is damaged ({error}).",
            remedy=f"Restore it from a backup, or remove {self.file.parent} and index again.",
        )

    def close(self) -> None:
        """Give the file back. Closing twice does nothing."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            raise self._operational(error) from error
        except sqlite3.ProgrammingError as error:
            raise HomeError(f"{self.file} was closed.", remedy="Open the home again.") from error
        except sqlite3.DatabaseError as error:
            raise self.corrupt(error) from error
        except UnicodeEncodeError as error:  # of a name that somebody asked for: none is stored so
            raise UsageError(f"{error.object!r} holds half a character, which has no encoding.") from error

    def _operational(self, error: sqlite3.OperationalError) -> HomeError:
        text = str(error)
        if "full" in text or "I/O" in text:
            return disk_full()
        if "locked" in text or "busy" in text:
            return HomeError(f"{self.file} is in use by another process.", remedy="Try again in a minute.")
        if "readonly" in text or "unable to open" in text:
            return not_writable(self.file, text)
        return self.corrupt(error)


@cache
def _values_of(kind: Any) -> Callable[[Any], tuple[object, ...]]:
    """A row's values of the fields in `_types_of`."""
    names = [*_types_of(kind)]
    return attrgetter(*names) if len(names) > 1 else lambda row: (getattr(row, names[0]),)


@cache
def _types_of(kind: Any) -> dict[str, tuple[type, ...]]:
    """Field to the types that its values may have; a whole number will do for a float."""
    found: dict[str, tuple[type, ...]] = {}
    for name, hint in get_type_hints(kind).items():
        if get_origin(hint) is ClassVar:
            continue
        kinds = get_args(hint) if get_origin(hint) is UnionType else (hint,)
        kinds = tuple({Literal: str, Mapping: dict, Sequence: list}.get(get_origin(one), one) for one in kinds)
        found[name] = (*kinds, int) if float in kinds else kinds
    return found


def _open(file: Path, *, create: bool, busy_seconds: float) -> sqlite3.Connection:
    """A file that can be written is moved forward to the present schema; one that cannot, also because the disk has no
    room for the files that SQLite keeps beside it, is read as it stands."""
    mode = "rwc" if create else "rw"
    try:
        db = sqlite3.connect(
            f"{uri_of(file)}?mode={mode}", uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False
        )
        schema.check_version(file, schema.version_of(db))
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        schema.move_forward(db, file)
    except sqlite3.OperationalError as error:
        if not file.is_file() or not any(word in str(error) for word in NO_WRITING):
            raise
        return _read_only(file)
    return db


def _read_only(file: Path) -> sqlite3.Connection:
    db = read_only(file)
    schema.check_version(file, schema.version_of(db))
    return db if schema.version_of(db) == schema.VERSION else schema.in_memory(file, db)
