"""What signals said over time, as `state.db` has it: a bounded history of each set.

Of readings of one state within a quarter of an hour the newest is kept, so that ninety days of a check each minute are
some thousands of rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from embassay import jsontext
from embassay.remedy import Remedy

if TYPE_CHECKING:
    from embassay.sets.database import Database
    from embassay.sets.monitoring.alerts import CheckFound, SignalState

APART = 900.0
"""Seconds within which the newest of the readings of one state stands for all."""
MOST = 8_640
"""Of one signal of a set that are kept: ninety days of one each quarter of an hour."""


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """What one signal said of a set at one time."""

    set_name: str
    space: str
    signal: str
    subject: str
    at: float
    """Seconds since 1970."""
    state: str
    value: float | None
    evidence: str
    remedy: Remedy
    figures: Mapping[str, float | None]

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        names = ("set_name", "space", "signal", "subject", "at", "state", "value", "evidence")
        return {
            **{name.removesuffix("_name"): getattr(self, name) for name in names},
            "remedy": self.remedy.in_shell(),
            "figures": dict(self.figures),
        }


_NAMES = tuple(field.name for field in fields(ReadingRow))
_COLUMNS = ", ".join(_NAMES)
_EVERY_SET = (
    "SELECT min(set_name) FROM readings UNION ALL "
    "SELECT (SELECT min(set_name) FROM readings WHERE set_name > name) FROM names WHERE name IS NOT NULL"
)
_PAIRS = (
    "names (name) AS ({names}), pairs (name, of) AS ("
    "SELECT name, (SELECT min(signal) FROM readings WHERE set_name = name) FROM names UNION ALL "
    "SELECT name, (SELECT min(signal) FROM readings WHERE set_name = name AND signal > of) FROM pairs "
    "WHERE of IS NOT NULL)"
)
"""Sets and their signals. The index is stepped through, from one to the next: what was ever read is not looked at."""


def keep_readings(db: sqlite3.Connection, check: CheckFound) -> None:
    """Write what a check found, inside of its transaction, and drop what is beyond the bound."""
    for one in check.found:
        _keep(db, check, one)
    for signal in {one.signal for one in check.found}:
        of_signal = (check.set_name, signal)
        db.execute(
            "DELETE FROM readings WHERE set_name = ? AND signal = ? AND id <= (SELECT id FROM readings "
            "WHERE set_name = ? AND signal = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (*of_signal, *of_signal, MOST),
        )


def readings_of(
    database: Database, set_name: str, signal: str | None = None, since: float = 0.0, space: str | None = None
) -> Sequence[ReadingRow]:
    """Readings of a set since a moment (seconds since 1970), the oldest first. Raises HomeError."""
    chosen = [("signal", signal), ("space", space)]
    named = [(name, value) for name, value in chosen if value is not None]
    where = "".join(f" AND {name} = ?" for name, _ in named)
    statement = f"SELECT {_COLUMNS} FROM readings WHERE set_name = ? AND at >= ?{where} ORDER BY id"
    with database.reading() as db:
        rows = db.execute(statement, (set_name, since, *(value for _, value in named))).fetchall()
    return [_row(database, row) for row in rows]


def latest_of(
    database: Database, set_name: str | None = None, space: str | None = None, limit: int | None = None
) -> Sequence[ReadingRow]:
    """What the last check of each signal of a set, or of all, found, by set, signal and subject; in one space where
    that is named. Raises HomeError."""
    of_space = "" if space is None else " AND space = ?"
    statement = (
        f"WITH RECURSIVE {_PAIRS.format(names=_EVERY_SET if set_name is None else 'SELECT ?')}, newest (newest_id) AS "
        f"(SELECT (SELECT max(id) FROM readings WHERE set_name = name AND signal = of{of_space}) FROM pairs) "
        f"SELECT {', '.join(f'r.{name}' for name in _NAMES)} FROM newest JOIN readings n ON n.id = newest_id "
        "JOIN readings r ON r.set_name = n.set_name AND r.signal = n.signal AND r.at = n.at AND r.space = n.space "
        "ORDER BY r.set_name, r.signal, r.subject LIMIT ?"
    )
    named = [one for one in (set_name, space) if one is not None]
    with database.reading() as db:
        rows = db.execute(statement, (*named, -1 if limit is None else limit)).fetchall()
    return [_row(database, row) for row in rows]


def _keep(db: sqlite3.Connection, check: CheckFound, one: SignalState) -> None:
    of_subject = (check.set_name, check.space, one.signal, one.subject)
    newest = db.execute(
        "SELECT id, at, state FROM readings WHERE set_name = ? AND space = ? AND signal = ? AND subject = ? "
        "ORDER BY id DESC LIMIT 1",
        of_subject,
    ).fetchone()
    if newest is not None:
        identity, at, state = newest
        if state == one.state and at // APART == check.at // APART:
            db.execute("DELETE FROM readings WHERE id = ?", (identity,))
    db.execute(
        f"INSERT INTO readings ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *of_subject,
            check.at,
            one.state,
            one.value,
            one.evidence,
            jsontext.dumps(one.remedy.in_parts()),
            jsontext.dumps(dict(one.figures)),
        ),
    )


def _row(database: Database, row: Sequence[Any]) -> ReadingRow:
    """Raises HomeCorrupt for a row that somebody has changed by hand."""
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    try:
        values["remedy"] = Remedy.of_parts(jsontext.loads(values["remedy"]))
        values["figures"] = jsontext.loads(values["figures"])
    except (ValueError, TypeError) as error:
        raise database.corrupt(error) from error
    return database.checked(ReadingRow(**values))
