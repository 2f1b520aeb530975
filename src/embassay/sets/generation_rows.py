"""Rows of generations as they are written: sealed, and under ids that are never given twice."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.seals import seal
from embassay.sets.spec import SetSpec
from embassay.space import Space

if TYPE_CHECKING:
    from embassay.sets.state import Generation

IDENTITY = 2
"""Spaces name all that the engine reads; those of identity 1 name weights, pooling, prompts and dimensions only."""
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


def rewrite_generation(db: sqlite3.Connection, generation: Generation, space: Space, spec: SetSpec) -> bool:
    """Put another space and spec into a row, inside of a transaction; False where it is not `generation` any more."""
    row = db.execute("SELECT set_name, space, spec FROM generations WHERE id = ?", (generation.id,)).fetchone()
    if row is None or row[0] != generation.set_name:
        return False
    found = Space.from_dict(jsontext.loads(row[1])), SetSpec.from_dict(jsontext.loads(row[2]))
    if found != (generation.space, generation.spec):
        return False
    written = [jsontext.dumps(said.to_dict(), ascii_only=True) for said in (space, spec)]
    columns = (generation.set_name, generation.name, *written, IDENTITY)
    db.execute(
        "UPDATE generations SET space = ?, spec = ?, identity = ?, seal = ? WHERE id = ?",
        (*written, IDENTITY, seal(generation.id, *columns), generation.id),
    )
    return True
