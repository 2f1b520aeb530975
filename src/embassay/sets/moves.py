"""Which generation of a set is live: each change is one transaction, and tells the migration and the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from embassay import remedy
from embassay.errors import HomeError, MigrationState, SetMoved
from embassay.sets.generation_rows import Made, insert_generation, rewrite_generation
from embassay.sets.history import note
from embassay.sets.migration.table import OPEN, Migration, Migrations, advance, put_migration
from embassay.sets.projections import put_projection
from embassay.sets.proofs import put_anchor
from embassay.sets.trials.table import OPEN as OPEN_TRIAL
from embassay.sets.trials.table import decide, end_trial, put_trial

if TYPE_CHECKING:
    from embassay.canaries import Anchor
    from embassay.embedders.wrap.projected import Projection
    from embassay.sets.database import Database
    from embassay.sets.roster import Roster
    from embassay.sets.spec import SetSpec
    from embassay.sets.trials.table import Trial
    from embassay.sets.trials.terms import TrialFinding, TrialTerms
    from embassay.space import Space

Done = TypeVar("Done")
TRIES = 20
"""How often a call begins anew because the set was switched in the middle of it."""
RELINKED = "relinked"
"""What it is called that a set has its vectors made by another model of the same space."""
ROLLED_BACK = "rolled back"
"""What a switch is called that takes another one back."""


@dataclass(frozen=True, slots=True)
class TrialBegun:
    """A trial that begins with a switch."""

    terms: TrialTerms
    keep_days: float
    """How long the generation that loses is kept after the decision."""


@dataclass(frozen=True, slots=True)
class TrialVerdict:
    """Why a trial takes its switch back."""

    trial: Trial
    reason: str
    findings: Sequence[TrialFinding]


class Moves:
    """Begins, ends and takes back moves of the sets of one home from one generation to another."""

    def __init__(self, database: Database, roster: Roster, migrations: Migrations) -> None:
        self._database, self._roster, self._migrations = database, roster, migrations

    def begin(
        self,
        name: str,
        origin: int,
        collection: str,
        space: Space,
        spec: SetSpec,
        anchor: Anchor | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
        projection: Projection | None = None,
    ) -> Migration:
        """A second generation of a set, to be built beside the live one, and the migration to it, which is planned.

        Raises SetNotFound, SetMoved where generation `origin` is not live any more, and MigrationState where one is
        being built.
        """
        with self._database.writing() as db:
            row = db.execute("SELECT live, building FROM sets WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise self._roster.not_found(name)
            if row[0] != origin:
                raise _moved(name)
            if row[1] is not None:
                raise MigrationState(
                    f"another generation of set {name!r} is being built already.",
                    remedy=remedy.command("migrate", name, status=True, say="Look at it"),
                )
            identity = insert_generation(db, name, collection, space, spec)
            if anchor:
                put_anchor(db, identity, anchor)
            if projection:
                put_projection(db, identity, projection)
            put_migration(db, name, origin, identity, options)
            db.execute("UPDATE sets SET building = ? WHERE name = ?", (identity, name))
            end_trial(db, name, "a migration was begun")
            note(db, name, "migration planned", identity, {"to": str(space), "model": spec.model})
        found = self._migrations.building(identity)
        assert found is not None, "it was just written"
        return found

    def switch(
        self,
        set_name: str,
        expected: int,
        new: int,
        *,
        what: str = "switched",
        keep_until: float = 0.0,
        detail: Mapping[str, object] = MappingProxyType({}),
        trial: TrialBegun | None = None,
        verdict: TrialVerdict | None = None,
    ) -> None:
        """Make generation `new` the live one, if `expected` is it still; the old one is kept as the previous.

        Going back is the same call with the two exchanged. The migration that made either of them, and the history,
        are told in the same transaction. With a `trial` the new one is on trial; a `verdict` is that of the trial which
        this takes back, and any other trial of the set ends. Raises SetMoved where another process switched, or
        decided, meanwhile, and HomeError where `new` is no generation of this set; nothing is changed then.
        """
        with self._database.writing() as db:
            of_set = db.execute("SELECT 1 FROM generations WHERE id = ? AND set_name = ?", (new, set_name)).fetchone()
            if not of_set:
                raise HomeError(f"set {set_name!r} has no generation {new}.")
            if verdict:
                decide(db, verdict.trial, OPEN_TRIAL, "reverted", verdict.reason, verdict.findings)
            end_trial(db, set_name, f"the set was {what}")
            changed = db.execute(
                "UPDATE sets SET live = ?, previous = live, building = nullif(building, ?), keep_until = ? "
                "WHERE name = ? AND live = ?",
                (new, new, keep_until, set_name, expected),
            )
            if not changed.rowcount:
                raise _moved(set_name)
            was = "UPDATE migrations SET state = ?, updated = ?, reason = '', retry_at = NULL WHERE generation = ?"
            db.execute(was, ("switched", time.time(), new))
            if what == ROLLED_BACK:
                db.execute(was, ("rolled-back", time.time(), expected))
            note(db, set_name, what, new, detail)
            if trial:
                put_trial(db, set_name, new, expected, trial.terms, trial.keep_days)

    def relink(
        self,
        name: str,
        live: int,
        was: Made,
        now: Made,
        *,
        anchor: Anchor | None,
        projection: Projection | None,
        detail: Mapping[str, object],
    ) -> None:
        """Write down another model for the live generation of a set, whose vectors stay. The caller may write it.

        Raises SetMoved where another process switched or relinked it meanwhile.
        """
        with self._database.writing() as db:
            is_live = db.execute("SELECT 1 FROM sets WHERE name = ? AND live = ?", (name, live)).fetchone()
            if not is_live or not rewrite_generation(db, live, was, now):
                raise _moved(name)
            for table in ("canaries", "projections", "proofs"):  # the last are of stand-ins of the former model
                db.execute(f"DELETE FROM {table} WHERE generation = ?", (live,))
            if anchor:
                put_anchor(db, live, anchor)
            if projection:
                put_projection(db, live, projection)
            note(db, name, RELINKED, live, detail)

    def release(self, set_name: str, previous: int, now: float) -> None:
        """Take the kept generation away from a set. Raises SetMoved unless it is kept still, and its time is over."""
        with self._database.writing() as db:
            changed = db.execute(
                "UPDATE sets SET previous = NULL WHERE name = ? AND previous = ? AND keep_until <= ?",
                (set_name, previous, now),
            )
            if not changed.rowcount:
                raise _moved(set_name)
            note(db, set_name, "kept generation removed", previous, {})

    def abandon(self, migration: Migration, reason: str) -> None:
        """Give a migration up: its generation belongs to no set any more. Raises MigrationState once it is switched."""
        with self._database.writing() as db:
            advance(db, migration, OPEN, "aborted", reason=reason)
            db.execute("UPDATE sets SET building = NULL WHERE building = ?", (migration.generation,))
            note(db, migration.set_name, "migration aborted", migration.generation, {"reason": reason})


def on_live(call: Callable[[], Done]) -> Done:
    """Have `call` done on the generation that is live, which may be another one by the time it is reached."""
    for _ in range(TRIES):
        try:
            return call()
        except SetMoved:
            continue
    return call()


def _moved(set_name: str) -> SetMoved:
    return SetMoved(
        f"set {set_name!r} was switched to another generation meanwhile.",
        remedy="Look at it again, and repeat the call.",
    )
