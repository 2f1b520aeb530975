"""The tables of the query log, as the schema of `state.db` has them."""

from embassay.sets.monitoring.schema import OF_SEARCHES

CREATE = """
CREATE TABLE queries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    asked REAL NOT NULL,
    set_name TEXT NOT NULL,
    space TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    form TEXT NOT NULL CHECK (form IN ('kept', 'hashed', 'cut')),
    query TEXT NOT NULL,
    took_ms REAL NOT NULL,
    hits TEXT NOT NULL
);
CREATE INDEX queries_by_time ON queries (asked);
CREATE INDEX queries_of_set ON queries (set_name, seq);
CREATE TABLE feedback (
    query TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('clicked', 'up', 'down')),
    document TEXT NOT NULL,
    given REAL NOT NULL,
    PRIMARY KEY (query, kind, document)
) WITHOUT ROWID;
CREATE TABLE query_salt (id INTEGER PRIMARY KEY CHECK (id = 1), salt BLOB NOT NULL);
"""
"""Statements that make them."""

TABLES = ("queries", "feedback", "query_salt", *OF_SEARCHES)
"""Their names: all that says what people searched for."""
