"""What somebody has yet to be told of alerts, as `state.db` has it.

Of any number of processes one takes a notice, and has it for a while. Where it dies in that time, another one takes it
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.sets.monitoring.alerts import Alert, read_alert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.sets.database import Database

TAKEN = 60.0
"""Seconds for which whoever takes a notice has it."""
FIRST, LONGEST = 5.0, 3_600.0
"""Seconds: the pause behind the first failure, which doubles with each further one, and the longest one."""
MOST_TRIES = 10
"""After so many, over more than an hour, a notice is given up."""
MOST_WAITING = 1_000
"""Notices that wait at most; older ones are given up."""


_DUE = (
    "SELECT n.id, n.alert, n.event, n.tries FROM alert_notices n WHERE n.due IS NOT NULL "
    "AND (n.due <= ? OR n.due > ?) AND NOT (n.event = 'ended' AND EXISTS (SELECT 1 FROM alert_notices o "
    "WHERE o.alert = n.alert AND o.event = 'opened' AND o.due IS NOT NULL)) ORDER BY n.id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One that was taken."""

    id: int
    event: str
    """``opened`` or ``ended``."""
    tries: int
    """This one included."""
    alert: Alert


def take_due(database: Database, now: float) -> Notice | None:
    """Take the first notice that is due; None where there is none. Nobody is told of an end before the beginning.

    A time further ahead than any pause is that of a clock that was wrong: such a notice is due. Raises HomeError.
    """
    with database.reading() as db:
        if db.execute(_DUE, (now, now + 2 * LONGEST)).fetchone() is None:
            return None  # and nothing was locked to find that out
    with database.writing() as db:
        row = db.execute(_DUE, (now, now + 2 * LONGEST)).fetchone()
        if row is None:  # another process was faster
            return None
        identity, alert, event, tries = row
        db.execute("UPDATE alert_notices SET due = ?, tries = ? WHERE id = ?", (now + TAKEN, tries + 1, identity))
        return Notice(identity, event, tries + 1, read_alert(db, database, alert))


def sent(database: Database, notice: Notice) -> None:
    """It has arrived. Raises HomeError."""
    with database.writing() as db:
        db.execute("DELETE FROM alert_notices WHERE id = ?", (notice.id,))


def failed(database: Database, notice: Notice, fault: str, now: float, *, for_good: bool = False) -> bool:
    """It has not: it is due again after a pause; whether it is given up instead. Raises HomeError."""
    over = for_good or notice.tries >= MOST_TRIES
    due = None if over else now + min(LONGEST, FIRST * 2 ** (notice.tries - 1))
    with database.writing() as db:
        db.execute(
            "UPDATE alert_notices SET due = ?, fault = ? WHERE id = ? AND tries = ?",
            (due, fault, notice.id, notice.tries),
        )
    return over


def bound_waiting(database: Database) -> int:
    """Forget the oldest beyond what may wait; how many. Raises HomeError."""
    with database.reading() as db:
        if db.execute("SELECT count(*) FROM alert_notices").fetchone()[0] <= MOST_WAITING:
            return 0
    with database.writing() as db:
        gone = db.execute(
            "DELETE FROM alert_notices WHERE id <= (SELECT id FROM alert_notices ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (MOST_WAITING,),
        )
    return int(gone.rowcount)


def waiting(database: Database) -> Sequence[tuple[int, str, float | None, int, str]]:
    """(alert, event, due, tries, last fault) of those that have not arrived; a due of None: given up."""
    with database.reading() as db:
        return db.execute("SELECT alert, event, due, tries, fault FROM alert_notices ORDER BY id").fetchall()
