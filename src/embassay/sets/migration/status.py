"""How a migration stands: for whoever asks from another terminal, also while nobody is at work, or its worker died."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.errors import LedgerError, MigrationState, StoreError
from embassay.models.ledger import Term
from embassay.sets.migration.beginning import JobOptions
from embassay.sets.migration.progress import Progress
from embassay.sets.migration.table import WORKING
from embassay.sets.trials.status import TrialStatus, open_trial

if TYPE_CHECKING:
    from embassay.remedy import Remedy
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration as it is now."""

    set: str
    state: str
    """As in `embassay.sets.migration.table`: ``planned``, ``backfilling``, ..., ``switched``."""
    reason: str
    """Why it is paused, or has failed; empty otherwise."""
    retry_at: float | None
    """From when on a paused one can go on, in seconds since 1970, as far as that was said."""
    generation: str
    """Name of the one that is built."""
    model: str
    space: str
    at_work: bool
    """Whether a process works on it now."""
    process: str
    """``host:pid`` of who worked on it last; empty where nobody did."""
    chunks: int
    """That the new generation has."""
    total: int
    """That the live one has."""
    embedded: int
    """Texts that were embedded for it, or found in the cache, by all its workers."""
    seconds: float
    """How long they were at it."""
    rate: float | None
    """Chunks a second lately; None where nobody is at work."""
    usd: float | None
    """What it spent in all its runs, with what is reserved for requests under way; None where that cannot be told."""
    options: JobOptions
    report: Mapping[str, Any]
    """What verification found."""
    created: float
    updated: float
    """Seconds since 1970: when it began, and when its state was last changed."""
    trial: TrialStatus | None = None
    """How the trial of the set stands, while nobody has decided it."""

    @property
    def share(self) -> float:
        """How much of the rows is there: 0 to 1."""
        return min(1.0, self.chunks / self.total) if self.total else 1.0

    @property
    def eta_seconds(self) -> float | None:
        """How long the rest of the backfill takes at the present rate; None where that cannot be told."""
        left = max(0, self.total - self.chunks)
        return left / self.rate if self.rate and self.state == "backfilling" else None

    @property
    def next(self) -> Remedy:
        """What to do next."""
        if self.state in WORKING and self.at_work:
            return remedy.command("migrate", self.set, pause=True, say="Halt it with")
        if self.state in ("planned", "paused", *WORKING):
            return remedy.command("migrate", self.set, resume=True, say="Go on with")
        if self.state == "ready":
            return remedy.command("switch", self.set, say="Switch with")
        if self.state == "failed":
            again = remedy.command("migrate", self.set, resume=True, say="Verify it again with {},")
            return again + remedy.command("migrate", self.set, abort=True, say="or give it up with")
        if self.trial:
            return self.trial.next
        if self.state == "switched":
            return remedy.command("rollback", self.set, say="Go back with")
        return remedy.command("migrate", self.set, to="MODEL", say="Begin with")

    def to_dict(self) -> dict[str, object]:
        """The status as JSON has it."""
        plain = (
            "set", "state", "reason", "generation", "model", "space", "at_work", "process", "chunks", "total",
            "embedded", "usd", "created", "updated", "retry_at",
        )  # fmt: skip
        rounded = {"share": self.share, "seconds": self.seconds, "rate": self.rate, "eta_seconds": self.eta_seconds}
        return (
            {name: getattr(self, name) for name in plain}
            | {name: None if value is None else round(value, 3) for name, value in rounded.items()}
            | {"rate_limit": self.options.rate or None, "max_spend": self.options.max_spend}
            | {"report": {**self.report}, "trial": self.trial and self.trial.to_dict(), "next": str(self.next)}
            | {"actions": [action.to_dict() for action in self.next.actions]}
        )


def status_of_migration(sets: OpenSets, name: str) -> MigrationStatus:
    """The migration of a set that began last, whether it is over or not.

    Raises HomeNotFound, SetNotFound, and MigrationState where there is none.
    """
    state = sets.state
    live = sets.live(name)
    migrations = state.migrations.of(name)
    if not migrations:
        begin = remedy.command("migrate", name, to="MODEL", say="Begin with")
        raise MigrationState(f"set {name!r} has no migration.", remedy=begin)
    migration = migrations[0]
    target = state.generation(migration.generation)
    jobs = [job for job in state.jobs.of(target.id) if job.kind == "migrate"]
    progress, options = Progress.from_dict(migration.progress), JobOptions.from_dict(migration.options)
    at_work = bool(jobs) and migration.state in WORKING and jobs[0].is_alive(time.time())
    return MigrationStatus(
        set=name,
        state=migration.state,
        reason=migration.reason,
        retry_at=migration.retry_at,
        generation=target.name,
        model=target.spec.model,
        space=str(target.space),
        at_work=at_work,
        process=jobs[0].process if jobs else "",
        chunks=_rows(sets, target),
        total=_rows(sets, live),
        embedded=progress.embedded,
        seconds=progress.seconds,
        rate=progress.rate if at_work else None,
        usd=_spent(sets, options),
        options=options,
        report=migration.report,
        created=migration.created,
        updated=migration.updated,
        trial=open_trial(sets, name),
    )


def migration_to(sets: OpenSets, name: str, target: MigrationTarget) -> MigrationStatus | None:
    """The last migration of a set, if it leads where `target` says. Raises SetNotFound."""
    state = sets.state
    state.set(name)
    migrations = state.migrations.of(name)
    if not migrations or not target.is_met_by(state.generation(migrations[0].generation).spec):
        return None
    return status_of_migration(sets, name)


def _rows(sets: OpenSets, generation: Generation) -> int:
    try:
        with closing(sets.folder.store(generation)) as store, store.snapshot() as version:
            return version.count()
    except StoreError:  # its first rows are not written yet, or it was given up and is gone
        return 0


def _spent(sets: OpenSets, options: JobOptions) -> float | None:
    if not options.run:
        return 0.0
    try:
        return sum(sets.models.ledger.used(Term(run=options.run)))
    except LedgerError:
        return None
