"""What happened to a set: indexed, migrated, switched, rolled back; by which version, when, with which figures."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embassay import jsontext
from embassay.sets.database import Database
from embassay.version import VERSION

KEPT = 1000
"""Rows that are remembered of a set; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a set."""

    id: int
    set_name: str
    happened: float
    """Seconds since 1970."""
    what: str
    """``indexed``, ``added``, ``imported``, ``deleted``, ``migrated``, ``switched``, ``rolled back`` and the like."""
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

    def of(self, set_name: str, most: int = KEPT) -> list[Happening]:
        """What happened to a set, the newest first."""
        query = (
            "SELECT id, set_name, happened, what, build, version, detail FROM history "
            "WHERE set_name = ? ORDER BY id DESC LIMIT ?"
        )
        with self._database.reading() as db:
            rows = db.execute(query, (set_name, most)).fetchall()
        return [self._happening(row) for row in rows]

    def note(self, set_name: str, what: str, generation: int, detail: Mapping[str, object]) -> None:
        """Write down that something happened. Raises HomeError."""
        with self._database.writing() as db:
            note(db, set_name, what, generation, detail)

    def _happening(self, row: tuple[Any, ...]) -> Happening:
        identity, set_name, happened, what, build, version, detail = row
        try:
            figures = jsontext.loads(detail)
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error
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
    oldest = "SELECT id FROM history WHERE set_name = ? ORDER BY id DESC LIMIT -1 OFFSET ?"
    db.execute(f"DELETE FROM history WHERE id IN ({oldest})", (set_name, KEPT))
