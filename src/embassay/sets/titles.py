"""What sets are called for people, where that is not the name by which commands and paths know them."""

from __future__ import annotations

from collections.abc import Mapping

from embassay.errors import UsageError
from embassay.sets.database import Database

LONGEST_TITLE = 100
"""Characters."""


class SetTitles:
    """Those of the sets of one home. Its table follows where a set is renamed or deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, str]:
        """Set to title, of those that have one of their own."""
        with self._database.reading() as db:
            return {str(name): str(title) for name, title in db.execute("SELECT set_name, title FROM titles")}

    def put(self, name: str, title: str) -> None:
        """Call a set by a title; its name is none of its own. Raises UsageError for what cannot be one, HomeError."""
        if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
            raise UsageError(f"{title[:LONGEST_TITLE]!r} is no title: 1 to {LONGEST_TITLE} printable characters.")
        with self._database.writing() as db:
            db.execute("DELETE FROM titles WHERE set_name = ?", (name,))
            if title != name:
                db.execute("INSERT INTO titles VALUES (?, ?)", (name, title))
