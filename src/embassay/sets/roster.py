"""Which sets a home lists: the one that is meant where none is named, what each leaves out, new names, and removal.

A set is removed by one transaction that takes it off the list. Its generations are leftovers from then on: nothing
leads to them, and whoever finds them may clear their rows away and then `erase` what the state knows of them. A process
that dies in between leaves leftovers, which the next one finds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from embassay import jsontext, remedy
from embassay.errors import SetNotFound, UsageError
from embassay.seals import seal
from embassay.sets.database import Database
from embassay.sets.history import note
from embassay.sets.log.table import rename_among_others
from embassay.sets.monitoring.schema import OF_SETS
from embassay.sets.views.table import Views, is_view, views_of


class Roster:
    """The list of sets of one home."""

    def __init__(self, database: Database) -> None:
        self._database, self._views = database, Views(database)

    def names(self) -> list[str]:
        """Of all sets, views included, in order."""
        with self._database.reading() as db:
            return _names(db)

    def chosen(self) -> str | None:
        """The set that was chosen as the default, if there is one."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT name FROM sets WHERE chosen UNION ALL SELECT name FROM views WHERE chosen"
            ).fetchone()
        return None if row is None else str(row[0])

    def choose(self, name: str | None) -> None:
        """Make `name` the set that is meant where none is named; None undoes the choice. Raises SetNotFound."""
        with self._database.writing() as db:
            if name is not None:
                self._check(db, name)
            for table in ("sets", "views"):
                db.execute(f"UPDATE {table} SET chosen = (name IS ?)", (name,))

    def excluded(self, name: str) -> tuple[str, ...]:
        """The patterns of files that a set leaves out, in the order in which they were given. Raises SetNotFound."""
        return self._kept(name, "excluded")

    def exclude(self, name: str, more: Iterable[str], fewer: Iterable[str] = ()) -> tuple[str, ...]:
        """Add patterns to those of a set and take others away; what it has then. Raises SetNotFound."""
        fewer = {*fewer}
        known = lambda before: dict.fromkeys(one for one in (*before, *more) if one not in fewer)  # noqa: E731
        return self._keep(name, "excluded", known)

    def paths(self, name: str) -> tuple[str, ...]:
        """Names of the files and folders that a set was indexed from, in that order. Raises SetNotFound."""
        return self._kept(name, "paths")

    def keep_paths(self, name: str, change: Callable[[tuple[str, ...]], Iterable[str]]) -> tuple[str, ...]:
        """Put what `change` makes of these names in their place; what it is. Raises SetNotFound."""
        return self._keep(name, "paths", change)

    def auto_embed(self, name: str) -> tuple[str, ...] | None:
        """When a set embeds on its own (`embassay.sets.build.deferring`); None for one that was not told, and embeds at
        once. Raises SetNotFound."""
        with self._database.reading() as db:
            row = db.execute("SELECT auto_embed FROM sets WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise self.not_found(name)
        return None if row[0] is None else self._kept(name, "auto_embed")

    def tell_when_to_embed(self, name: str, rules: Iterable[str]) -> None:
        """Write down the rules of a set. Raises SetNotFound."""
        with self._database.writing() as db:
            self._check(db, name)
            db.execute("UPDATE sets SET auto_embed = ? WHERE name = ?", (jsontext.dumps([*rules]), name))

    def rename(self, old: str, new: str) -> None:
        """Give a set another name, all at once. Raises SetNotFound, and UsageError where `new` is taken."""
        with self._database.writing() as db:
            self._check(db, old)
            if new in _names(db):
                raise UsageError(f"there is a set {new!r} already.", remedy="Choose another name, or delete that set.")
            for table in ("sets", "views"):
                db.execute(f"UPDATE {table} SET name = ? WHERE name = ?", (new, old))
            for table in _with_column(db, "set_name"):
                if table != "generations":  # whose rows are sealed
                    db.execute(f'UPDATE "{table}" SET set_name = ? WHERE set_name = ?', (new, old))
            rename_among_others(db, old, new)
            columns = "id, set_name, name, space, spec, identity, seal"
            rows = db.execute(f"SELECT {columns} FROM generations WHERE set_name = ?", (old,)).fetchall()
            for identity, _, *others, sealed in rows:
                if sealed != seal(identity, old, *others):
                    raise self._database.corrupt(ValueError(f"the row of set {old!r} was changed by hand"))
                values = (new, seal(identity, new, *others), identity)
                db.execute("UPDATE generations SET set_name = ?, seal = ? WHERE id = ?", values)
            of_view = "SELECT set_name FROM views WHERE name = ?"
            (live,) = db.execute(f"SELECT live FROM sets WHERE name IN (?, ({of_view}))", (new, new)).fetchone()
            note(db, new, "renamed", live, {"from": old, "to": new})

    def remove(self, name: str) -> None:
        """Take a set off the list with its history, so that nothing leads to its generations.

        Raises SetNotFound, and UsageError where there are views of it.
        """
        with self._database.writing() as db:
            self._check(db, name)
            if views := views_of(db, name):
                raise UsageError(
                    f"set {name!r} has views, which show what is in it: {', '.join(views)}.",
                    remedy=remedy.command("sets delete", views[0], say="Delete them first"),
                )
            for table in ("sets", "views"):
                db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
            for table in ("history", "trials", "fusions", "titles", *OF_SETS):
                db.execute(f"DELETE FROM {table} WHERE set_name = ?", (name,))

    def builds(self, name: str) -> tuple[int, ...]:
        """Ids of the generations of a set, the live one first; a view has none. Raises SetNotFound."""
        with self._database.reading() as db:
            self._check(db, name)
            row = db.execute("SELECT live, previous, building FROM sets WHERE name = ?", (name,)).fetchone()
        return tuple(int(one) for one in row or () if one is not None)

    def leftovers(self) -> list[int]:
        """Ids of generations that no set has any more."""
        query = (
            "SELECT id FROM generations g WHERE NOT EXISTS "
            "(SELECT 1 FROM sets s WHERE g.id IN (s.live, s.previous, s.building)) ORDER BY id"
        )
        with self._database.reading() as db:
            return [int(row[0]) for row in db.execute(query)]

    def outdated(self, now: float) -> list[tuple[str, int]]:
        """(set, id) of the kept generations whose time is over; `now` is in seconds since 1970."""
        query = "SELECT name, previous FROM sets WHERE previous IS NOT NULL AND keep_until <= ? ORDER BY name"
        with self._database.reading() as db:
            return [(str(name), int(identity)) for name, identity in db.execute(query, (now,))]

    def erase(self, generation: int) -> None:
        """Remove every row about a generation. That of a set which is listed stays, whoever asks."""
        with self._database.writing() as db:
            listed = "SELECT 1 FROM sets WHERE ? IN (live, previous, building)"
            if db.execute(listed, (generation,)).fetchone():
                return
            for table in _with_column(db, "generation"):
                db.execute(f'DELETE FROM "{table}" WHERE generation = ?', (generation,))
            db.execute("DELETE FROM generations WHERE id = ?", (generation,))

    def check(self, name: str) -> None:
        """Raises SetNotFound unless there is a set of this name, or a view."""
        with self._database.reading() as db:
            self._check(db, name)

    def not_found(self, name: str) -> SetNotFound | UsageError:
        """The error for a set that is not there, which names those that are, or for a view: it has no generations."""
        if view := self._views.of(name):
            return is_view(view)
        known = self.names()
        listed = remedy.say(f"There are: {', '.join(known)}.")
        hint = listed if known else remedy.command("index", "FOLDER", say="Make one")
        return SetNotFound(f"no set {name!r} in {self._database.file.parent}.", remedy=hint)

    def _check(self, db: sqlite3.Connection, name: str) -> None:
        there = "SELECT 1 FROM sets WHERE name = ? UNION ALL SELECT 1 FROM views WHERE name = ?"
        if not db.execute(there, (name, name)).fetchone():
            raise self.not_found(name)

    def _kept(self, name: str, column: str) -> tuple[str, ...]:
        with self._database.reading() as db:
            row = db.execute(f"SELECT {column} FROM sets WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise self.not_found(name)
        return strings(self._database, column, row[0])

    def _keep(self, name: str, column: str, change: Callable[[tuple[str, ...]], Iterable[str]]) -> tuple[str, ...]:
        with self._database.writing() as db:
            self._check(db, name)
            (stored,) = db.execute(f"SELECT {column} FROM sets WHERE name = ?", (name,)).fetchone()
            before = strings(self._database, column, stored)
            after = tuple(change(before))
            if after != before:
                db.execute(f"UPDATE sets SET {column} = ? WHERE name = ?", (jsontext.dumps(after), name))
        return after


def strings(database: Database, column: str, stored: object) -> tuple[str, ...]:
    """A list of strings as a column of `sets` has it, in JSON. Raises HomeCorrupt for anything else."""
    try:
        found = jsontext.loads(str(stored))
    except ValueError as error:
        raise database.corrupt(error) from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise database.corrupt(ValueError(f"{column} is {str(stored)[:40]!r}"))
    return tuple(found)


def _names(db: sqlite3.Connection) -> list[str]:
    return [str(row[0]) for row in db.execute("SELECT name FROM sets UNION SELECT name FROM views ORDER BY name")]


def _with_column(db: sqlite3.Connection, column: str) -> list[str]:
    """Tables that have a column of this name: ``generation`` and ``set_name`` say what their rows belong to."""
    query = (
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = ? ORDER BY m.name"
    )
    return [str(row[0]) for row in db.execute(query, (column,))]
