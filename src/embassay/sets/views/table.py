"""Filtered views: sets without vectors of their own, which show what of another set passes a filter.

A view names its parent, and whoever reads it reads the parent's live generation: both are looked up in one statement,
so that a switch of the parent is one of its views. Nothing is written through a view.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import FilterError, UsageError
from embassay.sets.database import Database
from embassay.sets.history import note
from embassay.stores.filters.parser import parse

if TYPE_CHECKING:
    from embassay.stores.filters.values import Filter

COLUMNS = "v.name, v.set_name, v.filter, v.created"
"""Of a view, for a statement that calls the table v."""
_NAMED_FIRST = ("switch", "rollback", "delete", "trial")
"""Commands that take the set as their first argument, and not by ``set``."""
_TO_A_MODEL = ("migrate", "relink")
"""Those of them that are told a model as well."""


@dataclass(frozen=True, slots=True)
class View:
    """What of a set passes a filter, under a name of its own."""

    name: str
    parent: str
    filter: str
    """As it is written: `where` reads it."""
    created: str
    """Date and time, UTC."""

    @property
    def where(self) -> Filter:
        """What a chunk has to pass. Raises FilterError."""
        return parse(self.filter)


class Views:
    """The views of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[View]:
        """Every view, ordered by name."""
        with self._database.reading() as db:
            rows = db.execute(f"SELECT {COLUMNS} FROM views v ORDER BY v.name").fetchall()
        return [self.view(row) for row in rows]

    def of(self, name: str) -> View | None:
        """The view of this name; None where there is none."""
        with self._database.reading() as db:
            row = db.execute(f"SELECT {COLUMNS} FROM views v WHERE v.name = ?", (name,)).fetchone()
        return None if row is None else self.view(row)

    def view(self, row: tuple[object, ...]) -> View:
        """What stands in a row of `COLUMNS`. Raises HomeCorrupt."""
        found = self._database.checked(View(*row))  # type: ignore[arg-type]
        try:
            found.where  # noqa: B018 - read once, so that whoever uses it need not ask
        except FilterError as error:
            raise self._database.corrupt(error) from error
        return found

    def create(self, name: str, parent: str, where: Filter) -> None:
        """Write a view of set `parent` down. Raises UsageError for a name that is taken, and where `parent` is gone."""
        with self._database.writing() as db:
            if _is_listed(db, name):
                raise UsageError(f"there is a set {name!r} already.", remedy=remedy.say("Choose another name."))
            row = db.execute("SELECT live FROM sets WHERE name = ?", (parent,)).fetchone()
            if row is None:
                raise UsageError(f"set {parent!r} was removed meanwhile.")
            created = datetime.now(UTC).isoformat(timespec="seconds")
            columns = (name, parent, str(where), created)
            db.execute("INSERT INTO views (name, set_name, filter, created) VALUES (?, ?, ?, ?)", columns)
            note(db, name, "created", row[0], {"of": parent, "where": str(where)})

    def refuse(self, name: str, verb: str) -> None:
        """Raises UsageError where `name` is a view, to which `verb` cannot be done: it names the parent, and the
        command to run there."""
        if view := self.of(name):
            raise is_view(view, verb)


def is_view(view: View, verb: str = "") -> UsageError:
    """The error for a view that is used as a set of its own."""
    parent = view.parent
    if verb in _TO_A_MODEL:
        mend = remedy.command(verb, parent, to="MODEL", say="Run that on its parent")
    elif verb in _NAMED_FIRST:
        mend = remedy.command(verb, parent, say="Run that on its parent")
    elif verb:
        mend = remedy.command(verb, set=parent, say="Run that on its parent")
    else:
        mend = remedy.say(f"Use its parent, the set {parent}.")
    return UsageError(f"set {view.name!r} is a view of set {parent!r}, and holds nothing of its own.", remedy=mend)


def views_of(db: sqlite3.Connection, parent: str) -> list[str]:
    """The names of the views of a set."""
    return [str(row[0]) for row in db.execute("SELECT name FROM views WHERE set_name = ? ORDER BY name", (parent,))]


def _is_listed(db: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM sets WHERE name = ? UNION ALL SELECT 1 FROM views WHERE name = ?"
    return db.execute(query, (name, name)).fetchone() is not None
