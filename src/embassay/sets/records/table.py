"""What records said when they were written, word for word: their chunks do not keep every space of a long text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from embassay import jsontext
from embassay.sets.database import Database
from embassay.sqlite import in_parts
from embassay.types import Record


class RecordTable:
    """The records of one home. Vectors are not kept here, but in the store, as those of files are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, generation: int, ids: Sequence[str]) -> dict[str, Record]:
        """The records of a generation that have these ids. Raises HomeCorrupt."""
        found: dict[str, Record] = {}
        for part, places in in_parts(ids):
            query = f"SELECT id, text, title, metadata FROM records WHERE generation = ? AND id IN ({places})"
            with self._database.reading() as db:
                rows = db.execute(query, (generation, *part)).fetchall()
            found |= {row[0]: self._record(row) for row in rows}
        return found

    def copy(self, origin: int, target: int, ids: Sequence[str]) -> None:
        """Write those records of one generation to another one, all or none; unknown ids are passed over."""
        with self._database.writing() as db:
            for part, places in in_parts(ids):
                db.execute(
                    "INSERT OR REPLACE INTO records (generation, id, text, title, metadata) SELECT ?, id, text, title, "
                    f"metadata FROM records WHERE generation = ? AND id IN ({places})",
                    (target, origin, *part),
                )

    def titles(self, generation: int) -> dict[str, str]:
        """The titles of those records that have one, by id."""
        with self._database.reading() as db:
            rows = db.execute("SELECT id, title FROM records WHERE generation = ? AND title <> ''", (generation,))
            return {str(identity): str(title) for identity, title in rows}

    def _record(self, row: Sequence[object]) -> Record:
        identity, text, title, metadata = row
        try:
            kept = jsontext.loads(str(metadata))
        except ValueError as error:
            raise self._database.corrupt(error) from error
        if not isinstance(text, str) or not isinstance(title, str) or not isinstance(kept, dict):
            raise self._database.corrupt(TypeError(f"record {identity!r} was changed by hand"))
        return Record(str(identity), text, title, kept)


def put_records(db: sqlite3.Connection, generation: int, records: Iterable[Record]) -> None:
    """Write records inside of a transaction."""
    values = (
        (generation, record.id, record.text, record.title, jsontext.dumps(record.metadata, ascii_only=True))
        for record in records
    )
    db.executemany(
        "INSERT OR REPLACE INTO records (generation, id, text, title, metadata) VALUES (?, ?, ?, ?, ?)", values
    )


def forget_records(db: sqlite3.Connection, generation: int, ids: Iterable[str]) -> None:
    """Remove records inside of a transaction; unknown ids are passed over."""
    db.executemany("DELETE FROM records WHERE generation = ? AND id = ?", ((generation, one) for one in ids))
