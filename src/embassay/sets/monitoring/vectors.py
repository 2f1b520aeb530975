"""The vectors of the newest queries: what monitoring compares with those of a baseline and of the documents.

A vector tells nearly as much as the text, so it is kept only where the text is, goes when its search goes, and only the
newest are kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.types import Vectors

KEPT = 2_000
"""Of a set in a space."""
LARGEST = 65_504.0
"""Of the numbers that half precision has."""
SPARE = 200
"""So many more may stand there, so that not every search deletes one."""


def write(db: sqlite3.Connection, vectors: Iterable[tuple[str, Vectors]]) -> None:
    """Keep vectors (dimensions,) by the ids of logged searches, inside of the transaction that wrote those."""
    rows = [(_packed(vector), id) for id, vector in vectors]
    if not rows:
        return
    db.executemany(
        "INSERT OR IGNORE INTO query_vectors (seq, set_name, space, vector) "
        "SELECT seq, set_name, space, ? FROM queries WHERE id = ?",
        rows,
    )
    touched = f"SELECT DISTINCT set_name, space FROM queries WHERE id IN ({', '.join('?' * len(rows))})"
    for of in db.execute(touched, [id for _, id in rows]).fetchall():
        _drop_old(db, of)


def _packed(vector: Vectors) -> bytes:
    import numpy as np

    return np.clip(vector, -LARGEST, LARGEST).astype(np.float16).tobytes()


def _drop_old(db: sqlite3.Connection, of: tuple[str, str]) -> None:
    """Of a set and a space, once there are more than may be."""
    newest = "SELECT seq FROM query_vectors WHERE set_name = ? AND space = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
    if db.execute(newest, (*of, KEPT + SPARE)).fetchone():
        (last,) = db.execute(newest, (*of, KEPT)).fetchone()
        db.execute("DELETE FROM query_vectors WHERE set_name = ? AND space = ? AND seq <= ?", (*of, last))
