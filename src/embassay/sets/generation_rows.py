"""Rows of generations as they are written: sealed, and under ids that are never given twice."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.seals import seal

if TYPE_CHECKING:
    from embassay.sets.spec import SetSpec
    from embassay.space import Space

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
