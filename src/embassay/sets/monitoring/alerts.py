"""Alerts as `state.db` has them: opened once, kept while they last, closed once.

    on -> over      the signal was well in two checks in a row, or its set is in another space now
     `--> false     somebody said that it was no alarm: the signal tolerates more from then on

All that one check changes is changed in one transaction, so that of two monitors one opens an alert, and one closes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from embassay import jsontext, remedy
from embassay.errors import UsageError
from embassay.remedy import Remedy

if TYPE_CHECKING:
    from embassay.sets.database import Database

Event = Literal["opened", "ended"]
CALM = 2
"""Checks in a row that have to find a signal well before its alert is over."""
MOST_ENDED = 1_000
"""Alerts of a set that are kept after their end."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of one set."""

    id: int
    set_name: str
    space: str
    signal: str
    subject: str
    """What it is about, where a signal has several; else empty."""
    state: str
    """``on``, ``over`` or ``false``."""
    evidence: str
    """The newest."""
    remedy: Remedy
    value: float | None
    tolerated_at: float | None
    """The tolerance at which its signal would not have alerted; None where it did not say."""
    since: float
    seen: float
    """Seconds since 1970: when it was opened, and when its signal was read last."""
    calm: int
    """Checks in a row since, that found its signal well."""
    ended: float | None
    reason: str
    """Why it ended."""

    @property
    def is_on(self) -> bool:
        """Whether it is not over yet."""
        return self.state == "on"

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        names = ("id", "set_name", "space", "signal", "subject", "state", "value", "evidence")
        return {
            **{name.removesuffix("_name"): getattr(self, name) for name in names},
            "remedy": self.remedy.in_shell(),
            "steps": [one.to_dict() for one in self.remedy.actions],
            "since": self.since,
            "seen": self.seen,
            "ended": self.ended,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that a check has opened or ended."""

    event: Event
    alert: Alert


@dataclass(frozen=True, slots=True)
class SignalState:
    """What a check found of one signal and subject."""

    signal: str
    subject: str
    state: str
    value: float | None
    evidence: str
    remedy: Remedy
    figures: Mapping[str, float | None]
    tolerated_at: float | None = None


@dataclass(frozen=True, slots=True)
class CheckFound:
    """All that a check found of one set in one space, at one time (seconds since 1970)."""

    set_name: str
    space: str
    at: float
    signals: Collection[str]
    """Those that were read."""
    found: Sequence[SignalState]


_LIST = remedy.command("monitor alerts", all=True, say="See which there are: {}")
_COLUMNS = ", ".join(field.name for field in fields(Alert))


def alerts_of(
    database: Database, set_name: str | None = None, *, on: bool = True, limit: int | None = None
) -> Sequence[Alert]:
    """Alerts of a set, or of all, the newest first; `on`: only those that are not over. Raises HomeError."""
    where = [*(["state = 'on'"] if on else []), *(["set_name = ?"] if set_name is not None else [])]
    statement = (
        f"SELECT {_COLUMNS} FROM alerts {'WHERE ' + ' AND '.join(where) if where else ''} "
        "ORDER BY state = 'on' DESC, id DESC LIMIT ?"
    )
    values = (*([] if set_name is None else [set_name]), -1 if limit is None else limit)
    with database.reading() as db:
        rows = db.execute(statement, values).fetchall()
    return [_alert(database, row) for row in rows]


def alert_of(database: Database, identity: int) -> Alert:
    """The alert of this id. Raises UsageError where there is none, HomeError."""
    with database.reading() as db:
        row = db.execute(f"SELECT {_COLUMNS} FROM alerts WHERE id = ?", (identity,)).fetchone()
    if row is None:
        raise UsageError(f"there is no alert {identity}.", remedy=_LIST)
    return _alert(database, row)


def apply_check(
    db: sqlite3.Connection, database: Database, check: CheckFound, *, notify: bool
) -> Sequence[AlertChange]:
    """Open, keep and end alerts by what a check found, inside of its transaction; what was opened and ended.

    `notify`: note down that somebody has to be told.
    """
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM alerts WHERE set_name = ? AND state = 'on'", (check.set_name,)
    ).fetchall()
    on = {(one.space, one.signal, one.subject): one for one in (_alert(database, row) for row in rows)}
    changed: list[tuple[Event, int]] = []
    for (space, _, _), alert in on.items():
        if space != check.space:
            end(db, alert.id, "over", check.at, "The set is in another space now.")
            changed.append(("ended", alert.id))
    said = {(one.signal, one.subject): one for one in check.found}
    for one in said.values():
        before = on.get((check.space, one.signal, one.subject))
        if before is None and one.state == "alert":
            changed.append(("opened", _open(db, check, one)))
        elif before is not None and _keep_or_end(db, check, before, one):
            changed.append(("ended", before.id))
    silent = {one.signal for one in check.found if one.state == "unknown"}
    for (space, signal, subject), alert in on.items():
        gone = (signal, subject) not in said and signal in check.signals and signal not in silent
        if space == check.space and gone and _calm(db, check, alert):
            changed.append(("ended", alert.id))
    if notify:
        for event, identity in changed:
            note_for_delivery(db, check.set_name, identity, event, check.at)
    if any(event == "ended" for event, _ in changed):
        _prune(db, check.set_name)
    return [AlertChange(event, read_alert(db, database, identity)) for event, identity in changed]


def end(db: sqlite3.Connection, identity: int, state: Literal["over", "false"], at: float, reason: str) -> bool:
    """End an alert that is on, inside of a transaction; False where it is not on."""
    done = db.execute(
        "UPDATE alerts SET state = ?, ended = ?, reason = ? WHERE id = ? AND state = 'on'",
        (state, at, reason, identity),
    )
    return done.rowcount > 0


def dismiss(database: Database, identity: int, at: float, why: str, tolerance: float, *, notify: bool = False) -> Alert:
    """End an alert that was false; its signal tolerates that much from now on in this set and space.

    Raises UsageError where it is not on, HomeError.
    """
    alert = alert_of(database, identity)
    with database.writing() as db:
        if not end(db, identity, "false", at, why):
            raise UsageError(f"alert {identity} is over already.", remedy=_LIST)
        db.execute(
            "INSERT INTO tolerances VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "tolerance = max(tolerance, excluded.tolerance)",
            (alert.set_name, alert.space, alert.signal, tolerance),
        )
        if notify:
            note_for_delivery(db, alert.set_name, identity, "ended", at)
        return read_alert(db, database, identity)


def note_for_delivery(db: sqlite3.Connection, set_name: str, alert: int, event: Event, due: float) -> None:
    """Write down that somebody has to be told of it, once."""
    db.execute(
        "INSERT OR IGNORE INTO alert_notices (set_name, alert, event, due) VALUES (?, ?, ?, ?)",
        (set_name, alert, event, due),
    )


def _open(db: sqlite3.Connection, check: CheckFound, one: SignalState) -> int:
    made = db.execute(
        "INSERT INTO alerts (set_name, space, signal, subject, state, evidence, remedy, value, tolerated_at, "
        "since, seen) VALUES (?, ?, ?, ?, 'on', ?, ?, ?, ?, ?, ?)",
        (check.set_name, check.space, one.signal, one.subject, *_told(one), check.at, check.at),
    )
    return int(made.lastrowid or 0)


def _keep_or_end(db: sqlite3.Connection, check: CheckFound, alert: Alert, one: SignalState) -> bool:
    """Whether the alert is over."""
    if one.state == "ok":
        return _calm(db, check, alert)
    if one.state != "unknown":  # which says nothing: neither that it lasts nor that it is over
        db.execute(
            "UPDATE alerts SET evidence = ?, remedy = ?, value = ?, tolerated_at = ?, seen = ?, calm = 0 WHERE id = ?",
            (*_told(one), check.at, alert.id),
        )
    return False


def _calm(db: sqlite3.Connection, check: CheckFound, alert: Alert) -> bool:
    """Count a check that found nothing; whether the alert is over."""
    db.execute("UPDATE alerts SET calm = calm + 1 WHERE id = ?", (alert.id,))
    if alert.calm + 1 < CALM:
        return False
    return end(db, alert.id, "over", check.at, f"Its signal was well in {CALM} checks in a row.")


def _told(one: SignalState) -> tuple[object, ...]:
    return (one.evidence, jsontext.dumps(one.remedy.in_parts()), one.value, one.tolerated_at)


def _prune(db: sqlite3.Connection, set_name: str) -> None:
    db.execute(
        "DELETE FROM alerts WHERE set_name = ? AND state != 'on' AND id <= (SELECT id FROM alerts WHERE set_name = ? "
        "AND state != 'on' ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (set_name, set_name, MOST_ENDED),
    )
    db.execute("DELETE FROM alert_notices WHERE alert NOT IN (SELECT id FROM alerts)")


def read_alert(db: sqlite3.Connection, database: Database, identity: int) -> Alert:
    """The alert of this id, which there is, inside of a transaction."""
    return _alert(database, db.execute(f"SELECT {_COLUMNS} FROM alerts WHERE id = ?", (identity,)).fetchone())


def _alert(database: Database, row: Sequence[Any]) -> Alert:
    """Raises HomeCorrupt for a row that somebody has changed by hand."""
    values: dict[str, Any] = dict(zip((field.name for field in fields(Alert)), row, strict=True))
    try:
        values["remedy"] = Remedy.of_parts(jsontext.loads(values["remedy"]))
    except (ValueError, TypeError) as error:
        raise database.corrupt(error) from error
    return database.checked(Alert(**values))
