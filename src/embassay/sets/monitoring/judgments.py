"""What a chat model said of some searches, as `state.db` has it: each is asked about once, whoever asks.

A row stands beside that of the search in the query log, and goes when it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.sets.database import Database

NONE = -1
"""The grade of a search that cannot be judged: the answer could not be read, or its hits are gone."""
GIVEN_UP = 900.0
"""Seconds after which whoever took a search to ask about it is taken to have ended."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """One search that was judged."""

    asked: float
    """When it was searched for, in seconds since 1970."""
    grade: int
    """From 0, nothing, to 2, an answer; `NONE`."""
    model: str
    """The chat model; empty where nothing was found, about which none is asked."""
    feedback: bool
    """Whether people said anything of it."""
    satisfied: bool


class SampledJudgments:
    """Those of one home. Threads may share it, and any number of processes may write the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, set_name: str, space: str, since: float) -> Sequence[tuple[int, str]]:
        """(seq, id) of the searches of a set alone in a space since a moment, whose text is kept and that nobody has
        judged. Raises HomeError."""
        statement = (
            "SELECT q.seq, q.id FROM queries q LEFT JOIN judgments j ON j.seq = q.seq "
            "WHERE q.set_name = ? AND q.space = ? AND q.form = 'kept' AND q.asked >= ? AND j.grade IS NULL"
        )
        with self._database.reading() as db:
            return db.execute(statement, (set_name, space, since)).fetchall()

    def unreadable(self, set_name: str, space: str, since: float) -> int:
        """How many of the searches are in the log without their text. Raises HomeError."""
        statement = "SELECT count(*) FROM queries WHERE set_name = ? AND space = ? AND form = 'hashed' AND asked >= ?"
        with self._database.reading() as db:
            return int(db.execute(statement, (set_name, space, since)).fetchone()[0])

    def take(self, seq: int, now: float) -> bool:
        """Take a search to ask about it; whether nobody else has. Raises HomeError."""
        with self._database.writing() as db:
            db.execute("DELETE FROM judgments WHERE seq = ? AND grade IS NULL AND at < ?", (seq, now - GIVEN_UP))
            statement = "INSERT OR IGNORE INTO judgments (seq, at) SELECT seq, ? FROM queries WHERE seq = ?"
            return db.execute(statement, (now, seq)).rowcount > 0

    def leave(self, seq: int) -> None:
        """Leave a search to whoever asks next. Raises HomeError."""
        with self._database.writing() as db:
            db.execute("DELETE FROM judgments WHERE seq = ? AND grade IS NULL", (seq,))

    def keep(self, seq: int, grade: int, model: str, usd: float) -> None:
        """Write down what was said of a search that was taken; one that is gone meanwhile is passed over. Raises
        HomeError."""
        with self._database.writing() as db:
            statement = "UPDATE judgments SET grade = ?, model = ?, usd = ? WHERE seq = ?"
            db.execute(statement, (grade, model, usd, seq))

    def of_set(self, set_name: str, space: str, model: str) -> Sequence[Judgment]:
        """What a model said of searches of a set in a space, in the order in which they were asked. Raises
        HomeError."""
        statement = (
            "SELECT m.asked, j.grade, j.model, m.feedback, m.satisfied FROM judgments j JOIN marks m ON m.seq = j.seq "
            "WHERE m.set_name = ? AND m.space = ? AND j.grade >= 0 AND j.model IN ('', ?) ORDER BY m.asked, m.seq"
        )
        with self._database.reading() as db:
            rows = db.execute(statement, (set_name, space, model)).fetchall()
        return [
            self._database.checked(Judgment(asked, grade, of, feedback > 0, satisfied > 0))
            for asked, grade, of, feedback, satisfied in rows
        ]
