"""Trials as `state.db` has them: a switch that is kept or taken back by what is observed after it.

    running <-> undecided
       |            |
    kept | reverted | ended

An open trial (`running`, `undecided`) holds the generation that was live before. Whoever decides names the states that
it expects, in the transaction that changes the set, so that of two processes one decides. `ended` is one whose set was
switched, rolled back or migrated meanwhile.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from embassay import jsontext
from embassay.errors import SetMoved, UsageError
from embassay.sets.database import Database
from embassay.sets.history import note
from embassay.sets.trials.terms import SECONDS_A_DAY, TrialFinding, TrialTerms
from embassay.text import moment

TrialState = Literal["running", "undecided", "kept", "reverted", "ended"]
OPEN = ("running", "undecided")
"""Nobody has decided yet, and the generation that was live before is held."""
_IS_OPEN = f"state IN {OPEN}"
_COLUMNS = "id, set_name, generation, baseline, state, reason, terms, keep_days, findings, started, ends, updated"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of one set."""

    id: int
    set_name: str
    generation: int
    """Id of the one on trial, which is live as long as the trial is open."""
    baseline: int
    """Id of the one that was live before, which it is held against."""
    state: str
    reason: str
    """Why it ended, or was decided as it was."""
    terms: TrialTerms
    keep_days: float
    """How long the generation that loses is kept after the decision."""
    findings: Sequence[TrialFinding]
    """What was observed when it was decided; of an open one that is undecided, when it was last due."""
    started: float
    ends: float
    updated: float
    """Seconds since 1970: when the switch was made, when the trial is due, and when this row was last changed."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.state in OPEN


class Trials:
    """The trials of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, set_name: str) -> Trial | None:
        """The trial of a set that began last."""
        return self._one("set_name = ? ORDER BY id DESC LIMIT 1", set_name)

    def open(self, set_name: str) -> Trial | None:
        """The one that is not decided yet."""
        return self._one(f"set_name = ? AND {_IS_OPEN}", set_name)

    def again(self, trial: Trial) -> Trial:
        """The same trial as it is now. Raises SetMoved where it is gone with its set."""
        found = self._one("id = ?", trial.id)
        if found is None:
            raise SetMoved(f"the trial of set {trial.set_name!r} is gone.", remedy="Look at the set again.")
        return found

    def keep(self, trial: Trial, expected: Collection[str], reason: str, findings: Iterable[TrialFinding]) -> Trial:
        """Leave the new generation live, and let go of the old one once its time is over. Raises SetMoved."""
        with self._database.writing() as db:
            decide(db, trial, expected, "kept", reason, findings)
            _let_go(db, trial)
            note(db, trial.set_name, "trial kept", trial.generation, _told(reason, findings))
        return self.again(trial)

    def leave_open(self, trial: Trial, reason: str, findings: Iterable[TrialFinding]) -> Trial:
        """Write down that a running one was due, and that what was observed decides nothing. Raises SetMoved."""
        with self._database.writing() as db:
            decide(db, trial, ("running",), "undecided", reason, findings)
            note(db, trial.set_name, "trial undecided", trial.generation, _told(reason, findings))
        return self.again(trial)

    def extend(self, trial: Trial, ends: float) -> Trial:
        """Have an open one run until another moment. Raises SetMoved where somebody has decided it meanwhile."""
        with self._database.writing() as db:
            decide(db, trial, OPEN, "running", "", ())
            db.execute("UPDATE trials SET ends = ? WHERE id = ?", (ends, trial.id))
            note(db, trial.set_name, "trial extended", trial.generation, {"ends": moment(ends)})
        return self.again(trial)

    def _one(self, where: str, value: object) -> Trial | None:
        with self._database.reading() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM trials WHERE {where}", (value,)).fetchone()
        if row is None:
            return None
        fields: dict[str, Any] = dict(zip(_COLUMNS.split(", "), row, strict=True))
        try:
            fields["terms"] = TrialTerms.from_dict(jsontext.loads(fields["terms"]))
            fields["findings"] = [*map(TrialFinding.from_dict, jsontext.loads(fields["findings"]))]
        except (ValueError, TypeError, KeyError, AttributeError, UsageError) as error:
            raise self._database.corrupt(error) from error
        return self._database.checked(Trial(**fields))


def put_trial(
    db: sqlite3.Connection, set_name: str, generation: int, baseline: int, terms: TrialTerms, keep_days: float
) -> None:
    """A new trial, running, inside of the transaction that makes the switch."""
    now = time.time()
    ends = now + terms.days * SECONDS_A_DAY
    stored = jsontext.dumps(terms.to_dict(), ascii_only=True)
    db.execute(
        "INSERT INTO trials (set_name, generation, baseline, state, terms, keep_days, started, ends, updated) "
        "VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?)",
        (set_name, generation, baseline, stored, keep_days, now, ends, now),
    )
    said = {
        "ends": moment(ends),
        "keep_above": f"{terms.keep_above:+.1%}",
        "revert_below": f"{-terms.revert_below or 0.0:.1%}",
    }
    note(db, set_name, "trial begun", generation, said | ({"judged": terms.judged} if terms.judged else {}))


def decide(
    db: sqlite3.Connection,
    trial: Trial,
    expected: Collection[str],
    new: TrialState,
    reason: str,
    findings: Iterable[TrialFinding],
) -> None:
    """Bring a trial from a state of `expected` into `new`, inside of a transaction that changes its set as well.

    Raises SetMoved where it is in none of them, or was extended meanwhile.
    """
    places = ", ".join("?" * len(expected))
    found = jsontext.dumps([one.to_dict() for one in findings], ascii_only=True)
    changed = db.execute(
        f"UPDATE trials SET state = ?, reason = ?, findings = ?, updated = ? "
        f"WHERE id = ? AND ends = ? AND state IN ({places})",
        (new, reason, found, time.time(), trial.id, trial.ends, *expected),
    )
    if not changed.rowcount:
        raise SetMoved(f"the trial of set {trial.set_name!r} was decided meanwhile.", remedy="Look at it again.")


def end_trial(db: sqlite3.Connection, set_name: str, reason: str) -> None:
    """End the open trial of a set, if there is one, inside of the transaction that moves the set elsewhere."""
    row = db.execute(
        f"SELECT id, generation, baseline, keep_days FROM trials WHERE set_name = ? AND {_IS_OPEN}", (set_name,)
    ).fetchone()
    if row is None:
        return
    identity, generation, baseline, keep_days = row
    db.execute(
        "UPDATE trials SET state = 'ended', reason = ?, updated = ? WHERE id = ?", (reason, time.time(), identity)
    )
    _keep_until(db, set_name, baseline, keep_days)
    note(db, set_name, "trial ended", generation, {"reason": reason})


def _let_go(db: sqlite3.Connection, trial: Trial) -> None:
    """The old generation of a decided trial is kept for its time. Raises SetMoved where the new one is not live."""
    _keep_until(db, trial.set_name, trial.baseline, trial.keep_days)
    if not db.execute("SELECT 1 FROM sets WHERE name = ? AND live = ?", (trial.set_name, trial.generation)).fetchone():
        raise SetMoved(f"set {trial.set_name!r} was switched meanwhile.", remedy="Look at it again.")


def _keep_until(db: sqlite3.Connection, set_name: str, previous: int, days: float) -> None:
    until = time.time() + days * SECONDS_A_DAY
    db.execute("UPDATE sets SET keep_until = ? WHERE name = ? AND previous = ?", (until, set_name, previous))


def _told(reason: str, findings: Iterable[TrialFinding]) -> Mapping[str, object]:
    return {"reason": reason, "findings": [one.to_dict() for one in findings]}
