"""What the sources of a generation add up to, and which of them wait for their vectors."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

WORDS_ONLY = "found by words only"
"""The reason in the row of a source whose vectors are still to be made: its rows have zeros for them."""
WRITING_WORDS_ONLY = "found by words only, and being written"
"""The same while rows of it are being changed."""
WAITS = f"state = 'pending' AND reason IN ('{WORDS_ONLY}', '{WRITING_WORDS_ONLY}')"
"""Of a source that waits, in SQL."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the sources of a generation."""

    documents: int
    chunks: int
    truncated: int
    quarantined: int
    pending: int
    waiting: int
    """Chunks of those sources that wait for the model."""


def totals_of(db: sqlite3.Connection, generation: int) -> Totals:
    """Sums over the sources of a generation, by its id."""
    row = db.execute(
        "SELECT coalesce(sum(documents), 0), coalesce(sum(chunks), 0), coalesce(sum(truncated), 0), "
        "count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'pending'), "
        f"coalesce(sum(chunks) FILTER (WHERE {WAITS}), 0) "
        "FROM sources WHERE generation = ?",
        (generation,),
    ).fetchone()
    return Totals(*row)
