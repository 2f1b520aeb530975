"""What happened to a set: indexed, migrated, switched, rolled back; by which version, when, with which figures."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embassay import jsontext
from embassay.errors import UsageError
from embassay.sets.database import Database
from embassay.version import VERSION

MOST = 2**31
"""Rows that can be asked for: SQLite counts no further than it has bits."""
KEPT = 1000
"""Rows of each kind that are remembered of a set; older ones are forgotten. Many writes forget no switch."""
PAUSE, LONGEST = 60.0, 3600.0
"""Seconds between two calls of one kind after which the second is a row of its own, and that one row covers at most."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a set."""

    id: int
    set_name: str
    happened: float
    """Seconds since 1970."""
    what: str
    """``created``, ``indexed``, ``added``, ``imported``, ``deleted``, ``switched``, ``rolled back`` and the like."""
    build: int
    """Id of the generation that it was done to."""
    version: str
    """Of embassay."""
    detail: Mapping[str, Any]
    """Its figures: spaces, counts, USD, seconds, and who forced it."""

    def to_dict(self) -> dict[str, object]:
        """The row as JSON has it."""
        return {name: getattr(self, name) for name in ("happened", "what", "build", "version")} | {
            "set": self.set_name,
            "detail": {**self.detail},
        }


class History:
    """What happened to the sets of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, set_name: str, most: int | None = None) -> list[Happening]:
        """What happened to a set, the newest first; at most so many rows. Raises UsageError for fewer than one."""
        if most is not None and most < 1:
            raise UsageError(f"limit is {most}; at least one row can be shown.")
        query = (
            "SELECT id, set_name, happened, what, build, version, detail FROM history "
            "WHERE set_name = ? ORDER BY id DESC LIMIT ?"
        )
        with self._database.reading() as db:
            rows = db.execute(query, (set_name, -1 if most is None else min(most, MOST))).fetchall()
        return [self._happening(row) for row in rows]

    def note(self, set_name: str, what: str, generation: int, detail: Mapping[str, object]) -> None:
        """Write down that something happened. Raises HomeError."""
        with self._database.writing() as db:
            note(db, set_name, what, generation, detail)

    def join(self, set_name: str, what: str, generation: int, figures: Mapping[str, float | None]) -> None:
        """Write down a call of which there may be many a second: such calls are one row, which adds their figures up.

        Its ``calls`` says how many there were, and its ``until`` when the last of them was. Raises HomeError.
        """
        with self._database.writing() as db:
            now = time.time()
            row = db.execute(
                "SELECT id, happened, detail FROM history WHERE set_name = ? AND what = ? AND build = ? "
                "AND version = ? ORDER BY id DESC LIMIT 1",
                (set_name, what, generation, VERSION),
            ).fetchone()
            before = self._figures(row[2]) if row else {}
            if row and row[1] <= now < row[1] + LONGEST and abs(now - before.get("until", row[1])) < PAUSE:
                joined = jsontext.dumps({**_sums(before, figures), "until": now}, ascii_only=True)
                db.execute("UPDATE history SET detail = ? WHERE id = ?", (joined, row[0]))
            else:
                note(db, set_name, what, generation, {"calls": 1, **figures, "until": now})

    def _figures(self, detail: str) -> dict[str, Any]:
        try:
            return {**jsontext.loads(detail)}
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error

    def _happening(self, row: tuple[Any, ...]) -> Happening:
        identity, set_name, happened, what, build, version, detail = row
        figures = self._figures(detail)
        return self._database.checked(Happening(identity, set_name, happened, what, build, version, figures))


def who() -> str:
    """Who does something that the history keeps: the name of the user as the system has it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without an entry, as in many containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def note(db: sqlite3.Connection, set_name: str, what: str, generation: int, detail: Mapping[str, object]) -> None:
    """The same inside of the transaction in which it happens."""
    columns = (set_name, time.time(), what, generation, VERSION, jsontext.dumps(dict(detail), ascii_only=True))
    db.execute(
        "INSERT INTO history (set_name, happened, what, build, version, detail) VALUES (?, ?, ?, ?, ?, ?)", columns
    )
    oldest = "SELECT id FROM history WHERE set_name = ? AND what = ? ORDER BY id DESC LIMIT -1 OFFSET ?"
    db.execute(f"DELETE FROM history WHERE id IN ({oldest})", (set_name, what, KEPT))


def _sums(before: Mapping[str, Any], more: Mapping[str, float | None]) -> dict[str, float | None]:
    """The figures of several calls; one that is unknown of any of them is unknown of all."""
    sums: dict[str, float | None] = {"calls": before.get("calls", 1) + 1}
    for name, figure in more.items():
        known = before.get(name)
        sums[name] = None if figure is None or known is None else round(known + figure, 9)
    return sums
