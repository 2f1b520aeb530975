"""Marks of searches that were logged before there were any, for the step of the schema that brings them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from embassay.sets.log.entry import Feedback, LoggedHit
from embassay.sets.log.hashes import QueryHashes
from embassay.sets.log.outcome import SearchOutcome, outcome

AT_ONCE = 2_000
"""Searches that are read at once."""
_WRITE = (
    "INSERT OR IGNORE INTO marks (seq, asked, set_name, space, took_ms, query, hits, dense, first_click, satisfied, "
    "feedback) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def mark_logged(db: sqlite3.Connection) -> None:
    """Inside of the transaction of the step: write a mark of each search in the log. One that cannot be read has none.

    A hundred thousand take a few seconds.
    """
    hashes, given = QueryHashes(db), _feedback(db)
    for rows in _pages(db):
        marked = []
        for seq, id, asked, set_name, space, took_ms, form, query, hits in rows:
            try:
                found = msgspec.json.decode(hits)
                dense = max((hit[7]["dense"][1] for hit in found if "dense" in hit[7]), default=None)
                became = outcome([LoggedHit.from_row(hit) for hit in found], given[id]) if id in given else NOTHING
                number = hashes.number(query, form)
            except (ValueError, TypeError, LookupError, AttributeError):
                continue
            of_search = seq, asked, set_name, space, took_ms, number, len(found), dense
            marked.append((*of_search, became.first_click, became.satisfied, became.feedback))
        db.executemany(_WRITE, marked)


NOTHING = SearchOutcome()


def _pages(db: sqlite3.Connection) -> Iterator[Sequence[Any]]:
    last = -1
    columns = "seq, id, asked, set_name, space, took_ms, form, query, hits"
    while rows := db.execute(
        f"SELECT {columns} FROM queries WHERE seq > ? ORDER BY seq LIMIT ?", (last, AT_ONCE)
    ).fetchall():
        yield rows
        last = rows[-1][0]


def _feedback(db: sqlite3.Connection) -> dict[str, list[Feedback]]:
    found: dict[str, list[Feedback]] = {}
    for id, kind, document, given in db.execute("SELECT query, kind, document, given FROM feedback ORDER BY given"):
        found.setdefault(id, []).append(Feedback(kind, document, given))
    return found
