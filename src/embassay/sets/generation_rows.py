"""Rows of generations as they are written: sealed, and under ids that are never given twice."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime

from embassay import jsontext
from embassay.seals import seal
from embassay.sets.spec import SetSpec
from embassay.space import Space

IDENTITY = 2
"""Spaces name all that the engine reads; those of identity 1 name weights, pooling, prompts and dimensions only."""
GENERATION = "g.id, g.set_name, g.name, g.space, g.spec, g.identity, g.seal"
"""The columns that a generation is read from, of a table that is called g."""
ID_BITS = 48
"""Of the id of a generation. SQLite would give that of a deleted one to the next, and a process that still has the
deleted one open would take the next for it."""


def insert_generation(db: sqlite3.Connection, set_name: str, collection: str, space: Space, spec: SetSpec) -> int:
    """A new row, inside of a transaction; its id."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    written = (jsontext.dumps(said.to_dict(), ascii_only=True) for said in (space, spec))
    columns = (set_name, collection, *written, IDENTITY)
    identity = 1 + secrets.randbits(ID_BITS)
    db.execute(
        "INSERT INTO generations (id, set_name, name, space, spec, identity, created, seal) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (identity, *columns, created, seal(identity, *columns)),
    )
    return identity


Made = tuple[Space, SetSpec]
"""What a generation is made with."""


def rewrite_generation(db: sqlite3.Connection, identity: int, was: Made, now: Made) -> bool:
    """Put another space and spec into a row, inside of a transaction; False where they are not what they `was`."""
    row = db.execute("SELECT set_name, name, space, spec FROM generations WHERE id = ?", (identity,)).fetchone()
    if row is None or (Space.from_dict(jsontext.loads(row[2])), SetSpec.from_dict(jsontext.loads(row[3]))) != was:
        return False
    written = [jsontext.dumps(said.to_dict(), ascii_only=True) for said in now]
    sealed = seal(identity, row[0], row[1], *written, IDENTITY)
    db.execute(
        "UPDATE generations SET space = ?, spec = ?, identity = ?, seal = ? WHERE id = ?",
        (*written, IDENTITY, sealed, identity),
    )
    return True
