"""The tables of the query log in `state.db`: written in batches, bounded in number and age."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from embassay.config.values import QueryLogConfig
from embassay.sets.log.entry import SEPARATOR, Feedback, LoggedQuery, LoggedText
from embassay.sets.log.hashes import QueryHashes
from embassay.sets.log.outcome import outcome
from embassay.sets.log.schema import TABLES
from embassay.sets.monitoring import marks
from embassay.sets.monitoring.schema import OF_SEARCHES
from embassay.sets.monitoring.vectors import write as write_vectors
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.sets.database import Database
    from embassay.sets.log.new import NewSearch

PRUNED_AT_ONCE = 5_000
"""Entries that one transaction deletes at most, so that no search waits for it."""
DAY = 86_400.0
_ENTRY = "id, asked, set_name, space, pipeline, form, query, took_ms, hits"
FORM, QUERY = 5, 6
"""Where they stand in it."""


_FENCED = f"'{SEPARATOR}' || set_name || '{SEPARATOR}'"
OF_SET = f"(set_name = ? OR instr({_FENCED}, ?))"
"""Whether a search was of a set, alone or among others: its name, and its name between separators."""


class LogTable:
    """The log in one file. Threads may share it, and any number of processes may write the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as db:  # what is deleted is overwritten: it may be anybody's question
            db.execute("PRAGMA secure_delete = ON")

    def add(self, searches: Sequence[NewSearch], config: QueryLogConfig) -> None:
        """Write searches, all or none, and drop what is beyond the bounds of `config`. Raises HomeError."""
        with self._database.writing() as db:
            hashes = QueryHashes(db)
            rows = [_row(one, hashes) for one in searches]
            db.executemany(f"INSERT OR IGNORE INTO queries ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            numbers = (hashes.number(row[QUERY], row[FORM]) for row in rows)
            marks.write(db, ((one.id, number, one.mark) for one, number in zip(searches, numbers, strict=True)))
            write_vectors(db, [(one.id, one.vector) for one in searches if one.vector is not None])
            _prune(db, config)

    def prune(self, config: QueryLogConfig) -> int:
        """Drop what is beyond the bounds of `config`; how many entries. Raises HomeError."""
        gone = 0
        while True:
            with self._database.writing() as db:
                dropped = _prune(db, config)
            gone += dropped
            if dropped < PRUNED_AT_ONCE:
                break
        self._forget_deleted()
        return gone

    def clear(self) -> int:
        """Drop everything, and the salt of the hashes; how many entries there were. Raises HomeError."""
        with self._database.writing() as db:
            gone = db.execute("DELETE FROM queries").rowcount
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")
        self._forget_deleted()
        return int(gone)

    def count(self) -> int:
        """How many searches are logged."""
        with self._database.reading() as db:
            return int(db.execute("SELECT count(*) FROM queries").fetchone()[0])

    def entries(self, set_name: str | None = None, limit: int = -1) -> Iterator[LoggedQuery]:
        """Searches, of one set or of all, the newest first; at most `limit`, all where that is negative."""
        where, values = (f"WHERE {OF_SET}", (set_name, f"{SEPARATOR}{set_name}{SEPARATOR}")) if set_name else ("", ())
        last = 1 << 62
        while limit:
            page = 500 if limit < 0 else min(limit, 500)
            condition = f"{where} AND" if where else "WHERE"
            query = f"SELECT seq, {_ENTRY} FROM queries {condition} seq < ? ORDER BY seq DESC LIMIT ?"
            with self._database.reading() as db:
                rows = db.execute(query, (*values, last, page)).fetchall()
                found = [self._entry(db, row[1:]) for row in rows]
            yield from found
            if len(rows) < page:
                return
            last, limit = rows[-1][0], limit - page if limit > 0 else limit

    def find(self, id: str) -> LoggedQuery | None:
        """One search by its id."""
        with self._database.reading() as db:
            row = db.execute(f"SELECT {_ENTRY} FROM queries WHERE id = ?", (id,)).fetchone()
            return self._entry(db, row) if row else None

    def texts(self, seqs: Sequence[int]) -> dict[int, LoggedText]:
        """What is kept of the texts of some searches, by `seq` and in that order; those that are gone are left out."""
        statement = "SELECT form, query FROM queries WHERE seq = ?"
        with self._database.reading() as db:
            found = {int(seq): db.execute(statement, (int(seq),)).fetchone() for seq in seqs}
        return {seq: self._database.checked(LoggedText(*row)) for seq, row in found.items() if row}

    def give(self, id: str, feedback: Sequence[Feedback]) -> None:
        """Write feedback on a search. The same again counts once; a thumb replaces the other one on a document."""
        with self._database.writing() as db:
            for one in feedback:
                if one.kind != "clicked":
                    thumbs = (id, one.document)
                    db.execute("DELETE FROM feedback WHERE query = ? AND document = ? AND kind <> 'clicked'", thumbs)
                row = (id, one.kind, one.document, one.given)
                db.execute("INSERT OR IGNORE INTO feedback (query, kind, document, given) VALUES (?, ?, ?, ?)", row)
            row = db.execute(f"SELECT seq, {_ENTRY} FROM queries WHERE id = ?", (id,)).fetchone()
            if row:
                entry = self._entry(db, row[1:])
                marks.write_outcome(db, row[0], *astuple(outcome(entry.hits, entry.feedback)))

    def _entry(self, db: sqlite3.Connection, row: Sequence[object]) -> LoggedQuery:
        given = db.execute(
            "SELECT kind, document, given FROM feedback WHERE query = ? ORDER BY given, document", (row[0],)
        )
        feedback = tuple(self._database.checked(Feedback(*found)) for found in given)
        try:
            return LoggedQuery.from_row(row, feedback)
        except (ValueError, TypeError, AttributeError) as error:
            raise self._database.corrupt(error) from error

    def _forget_deleted(self) -> None:
        """Empty the write-ahead log as well, in which what was deleted stands until it is written over."""
        with self._database.reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rename_among_others(db: sqlite3.Connection, old: str, new: str) -> None:
    """Inside of the transaction that gives a set another name: follow it where it was searched with others."""
    before, after = f"{SEPARATOR}{old}{SEPARATOR}", f"{SEPARATOR}{new}{SEPARATOR}"
    db.execute(
        f"UPDATE queries SET set_name = trim(replace({_FENCED}, ?, ?), '{SEPARATOR}') WHERE instr({_FENCED}, ?)",
        (before, after, before),
    )


def _row(one: NewSearch, hashes: QueryHashes) -> tuple[Any, ...]:
    query = hashes.of(one.query) if one.form == "hashed" else encodable(one.query)
    sets = SEPARATOR.join(one.sets)
    return one.id, one.asked, sets, one.space, one.pipeline, one.form, query, one.took_ms, one.hits


def _prune(db: sqlite3.Connection, config: QueryLogConfig) -> int:
    """Drop entries beyond the bounds, the oldest first, at most `PRUNED_AT_ONCE`; how many."""
    oldest = time.time() - config.max_days * DAY
    gone = db.execute(
        "SELECT seq, id FROM queries WHERE asked < ? UNION "
        "SELECT seq, id FROM queries WHERE seq <= (SELECT max(seq) FROM queries) - ? LIMIT ?",
        (oldest, config.max_entries, PRUNED_AT_ONCE),
    ).fetchall()
    db.executemany("DELETE FROM feedback WHERE query = ?", ((id,) for _, id in gone))
    for table in ("queries", *OF_SEARCHES):
        db.executemany(f"DELETE FROM {table} WHERE seq = ?", ((seq,) for seq, _ in gone))
    return len(gone)
