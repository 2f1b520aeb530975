"""Migrations as `state.db` has them: which state each is in, and how it comes from one to the next.

    planned -> backfilling -> catching-up -> verifying -> ready -> switched <-> rolled-back
                                                 |
                                               failed

`paused` comes from any state in which a worker is at work, and goes back to it; `aborted` from any before `switched`.
Every transition is one transaction that names the state it expects, so that of two processes one wins.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from embassay import jsontext, remedy
from embassay.errors import MigrationState
from embassay.sets.database import Database

MigrationStateName = Literal[
    "planned",
    "backfilling",
    "catching-up",
    "verifying",
    "ready",
    "switched",
    "rolled-back",
    "paused",
    "aborted",
    "failed",
]
WORKING = ("backfilling", "catching-up", "verifying")
"""A worker is at it, or was when it died."""
OPEN = ("planned", *WORKING, "ready", "paused", "failed")
"""The set has a building generation: it is neither switched nor given up."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One move of a set to another generation."""

    id: int
    set_name: str
    origin: int
    """Id of the generation that was live when it began."""
    generation: int
    """Id of the one that is built."""
    state: MigrationStateName
    resumes: str
    """The state that a paused one goes back to."""
    reason: str
    """Why it is paused, failed or aborted; empty otherwise."""
    retry_at: float | None
    """From when on a paused one can go on, in seconds since 1970; None where nobody said."""
    options: Mapping[str, Any]
    """What it was asked for: rate, spend, gate."""
    report: Mapping[str, Any]
    """What verification found."""
    progress: Mapping[str, Any]
    """What its workers have done so far, see `embassay.sets.migration.progress`."""
    created: float
    updated: float
    """Seconds since 1970: when it began, and when its state was last changed."""

    @property
    def is_open(self) -> bool:
        """Whether it is neither switched nor given up."""
        return self.state in OPEN


_COLUMNS = (
    "id, set_name, origin, generation, state, resumes, reason, retry_at, options, report, progress, created, updated"
)


class Migrations:
    """The migrations of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, set_name: str) -> list[Migration]:
        """Migrations of a set whose generation is still there, the newest first."""
        with self._database.reading() as db:
            query = f"SELECT {_COLUMNS} FROM migrations WHERE set_name = ? ORDER BY id DESC"
            return [self._migration(row) for row in db.execute(query, (set_name,)).fetchall()]

    def sets(self) -> list[str]:
        """The names of the sets that have a migration, over or not."""
        with self._database.reading() as db:
            return [str(name) for (name,) in db.execute("SELECT DISTINCT set_name FROM migrations ORDER BY set_name")]

    def open(self, set_name: str) -> Migration | None:
        """The one that is under way, if there is one."""
        return next((one for one in self.of(set_name) if one.is_open), None)

    def building(self, generation: int) -> Migration | None:
        """The one that builds, or built, this generation."""
        with self._database.reading() as db:
            query = f"SELECT {_COLUMNS} FROM migrations WHERE generation = ?"
            row = db.execute(query, (generation,)).fetchone()
        return None if row is None else self._migration(row)

    def advance(
        self,
        migration: Migration,
        expected: Collection[str],
        new: MigrationStateName,
        *,
        reason: str = "",
        resumes: str = "",
        retry_at: float | None = None,
        report: Mapping[str, object] | None = None,
    ) -> Migration:
        """Bring one from a state of `expected` into `new`. Raises MigrationState where it is in none of them."""
        with self._database.writing() as db:
            advance(db, migration, expected, new, reason=reason, resumes=resumes, retry_at=retry_at, report=report)
        found = self.building(migration.generation)
        assert found is not None, "it was just written"
        return found

    def note_progress(self, migration: Migration, progress: Mapping[str, object]) -> None:
        """Write down how far its worker is. Raises HomeError."""
        with self._database.writing() as db:
            values = jsontext.dumps(dict(progress), ascii_only=True), migration.id
            db.execute("UPDATE migrations SET progress = ? WHERE id = ?", values)

    def change_options(self, migration: Migration, options: Mapping[str, object]) -> Migration:
        """Have it done in another way from now on. Raises MigrationState where it is over."""
        with self._database.writing() as db:
            _check(db, migration, OPEN)
            values = jsontext.dumps(dict(options), ascii_only=True), migration.id
            db.execute("UPDATE migrations SET options = ? WHERE id = ?", values)
        found = self.building(migration.generation)
        assert found is not None, "it was just written"
        return found

    def _migration(self, row: tuple[Any, ...]) -> Migration:
        fields = dict(zip(_COLUMNS.split(", "), row, strict=True))
        try:
            fields |= {name: jsontext.loads(fields[name]) for name in ("options", "report", "progress")}
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error
        return self._database.checked(Migration(**fields))


def put_migration(
    db: sqlite3.Connection,
    set_name: str,
    origin: int,
    generation: int,
    options: Mapping[str, object],
) -> None:
    """A new migration, planned, inside of the transaction that makes its generation."""
    now = time.time()
    said = jsontext.dumps(dict(options), ascii_only=True)
    db.execute(
        "INSERT INTO migrations (set_name, origin, generation, state, options, created, updated) "
        "VALUES (?, ?, ?, 'planned', ?, ?, ?)",
        (set_name, origin, generation, said, now, now),
    )


def advance(
    db: sqlite3.Connection,
    migration: Migration,
    expected: Collection[str],
    new: MigrationStateName,
    *,
    reason: str = "",
    resumes: str = "",
    retry_at: float | None = None,
    report: Mapping[str, object] | None = None,
) -> None:
    """`Migrations.advance` inside of a transaction that changes something else as well."""
    _check(db, migration, expected)
    db.execute(
        "UPDATE migrations SET state = ?, reason = ?, resumes = ?, retry_at = ?, updated = ?, "
        "report = coalesce(?, report) WHERE id = ?",
        (
            new,
            reason,
            resumes,
            retry_at,
            time.time(),
            None if report is None else jsontext.dumps(dict(report), ascii_only=True),
            migration.id,
        ),
    )


def _check(db: sqlite3.Connection, migration: Migration, expected: Collection[str]) -> None:
    """Raises MigrationState where it is in none of these states."""
    row = db.execute("SELECT state FROM migrations WHERE id = ?", (migration.id,)).fetchone()
    state = row[0] if row else "gone"
    if state not in expected:
        raise MigrationState(
            f"the migration of set {migration.set_name!r} is {state}, not {' or '.join(expected)}.",
            remedy=remedy.command("migrate", migration.set_name, status=True, say="Look at it"),
        )
