"""Searches that were logged before there were marks get the same marks as those that are logged now."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from embassay.sets.monitoring.schema import OF_SEARCHES, OF_SETS
from tests.sets.log.test_query_log import QUERY, logging

COLUMNS = "seq, asked, set_name, space, took_ms, query, hits, dense, first_click, satisfied, feedback"


def marks(file):
    with closing(sqlite3.connect(file)) as db:
        return db.execute(f"SELECT {COLUMNS} FROM marks ORDER BY seq").fetchall()


def as_before_marks(file):
    with closing(sqlite3.connect(file)) as db, db:
        for table in (*OF_SEARCHES, *OF_SETS):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 19")


@pytest.mark.parametrize("form", ["kept", "hashed"])
def test_they_are_the_same(docs, form):
    file = docs.parent / ".embassay" / "state.db"
    with logging(docs, form) as home:
        found = [home.search(query) for query in (QUERY, "another", QUERY, "half a \ud83d", "key " * 2000)]
        found.append(home.search("zebra", mode="lexical"))
        home.feedback(found[0], clicked=[2, 1])
        home.feedback(found[1], thumbs="down")
    before = marks(file)
    as_before_marks(file)
    with logging(docs, form) as home:
        assert marks(file) == before and len(before) == 6
        assert [row[-3:] for row in before[:3]] == [(1, 1, 1), (0, 0, 1), (0, 0, 0)]
        home.search(QUERY)
    assert marks(file)[-1][5] == before[0][5], "equal queries stay equal"


def test_a_search_that_cannot_be_read_has_none(docs):
    file = docs.parent / ".embassay" / "state.db"
    with logging(docs) as home:
        for at in range(5):
            home.search(f"query {at}")
    with closing(sqlite3.connect(file)) as db, db:
        for seq, hits in enumerate(("{", "[[1]]", "7", '[[1, "s", "d", "c", 1, 1, 0.5, {"dense": 3}]]'), 1):
            db.execute("UPDATE queries SET hits = ? WHERE seq = ?", (hits, seq))
    as_before_marks(file)
    with logging(docs) as home:
        assert home.query_log.count() == 5
    assert [row[0] for row in marks(file)] == [5]
