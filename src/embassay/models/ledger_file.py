"""The tables of a ledger."""

from __future__ import annotations

from embassay.errors import LedgerError
from embassay.shared_file import FileKind

_SCHEMA = """
CREATE TABLE entries (
    day TEXT NOT NULL,
    run TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    role TEXT NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    requests INTEGER NOT NULL DEFAULT 0,
    texts INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    usd REAL NOT NULL DEFAULT 0,
    reported_usd REAL NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    lost_usd REAL NOT NULL DEFAULT 0,
    repeated INTEGER NOT NULL DEFAULT 0,
    repeated_usd REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (day, run, purpose, model, role)
) WITHOUT ROWID;
CREATE INDEX entries_run ON entries (run);
CREATE TABLE days (day TEXT PRIMARY KEY, usd REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE flights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    day TEXT NOT NULL,
    run TEXT NOT NULL,
    purpose TEXT NOT NULL,
    model TEXT NOT NULL,
    role TEXT NOT NULL,
    owner TEXT NOT NULL,
    texts INTEGER NOT NULL,
    usd REAL NOT NULL,
    marks BLOB NOT NULL,
    repeated INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0
);
"""

LEDGER = FileKind(
    "ledger",
    0x656D6C67,  # emlg
    (_SCHEMA, "ALTER TABLE flights ADD COLUMN payers TEXT NOT NULL DEFAULT ''"),
    LedgerError,
    "What was spent before cannot be told; remove the file to begin a new ledger.",
)
