"""The verbs of a migration: begun or gone on with, paused, given up. Whoever migrates a set is its worker."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import MigrationState, UsageError
from embassay.models.budgets import RunBudget, configured_budget
from embassay.models.ledger import Payer
from embassay.sets.gc import sweep
from embassay.sets.migration.beginning import DEFAULT_OPTIONS, JobOptions, begin
from embassay.sets.migration.job import opened, run
from embassay.sets.migration.status import MigrationStatus, status_of_migration
from embassay.sets.migration.table import WORKING
from embassay.sets.migration.verification import verifiers

if TYPE_CHECKING:
    from embassay.sets.migration.check import Verifier
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets

PURPOSE = "migrate"
"""What money is spent for, as the ledger has it."""
MOST_SEARCHES = 10_000
"""Searches that are looked at for what was found lately."""
LET_GO_SECONDS = 5.0
"""How long giving a migration up waits for its worker to stop, before the rows are left to whoever sweeps next."""


def migrate(
    sets: OpenSets,
    name: str,
    target: MigrationTarget,
    options: JobOptions = DEFAULT_OPTIONS,
    gate: Verifier | None = None,
    *,
    background: bool = False,
) -> MigrationStatus:
    """Bring set `name` to `target` as far as ``ready``; one that is under way to there is gone on with.

    Raises as `begin` and `resume` do, and MigrationState where it is under way to another target.
    """
    prepare(sets, name, target, options)
    return resume(sets, name, gate, background=background)


def prepare(
    sets: OpenSets,
    name: str,
    target: MigrationTarget,
    options: JobOptions = DEFAULT_OPTIONS,
) -> None:
    """Begin a migration; one that is under way to the same target gets these options. Raises as `begin` does."""
    under_way = sets.state.migrations.open(name) if sets.exists else None
    if under_way is not None and target.is_met_by(sets.state.generation(under_way.generation).spec):
        was = JobOptions.from_dict(under_way.options)
        sets.state.migrations.change_options(under_way, replace(options, run=was.run).to_dict())
        return
    options = replace(options, run=secrets.token_hex(8))
    with paying(sets, name, options) as own:
        begin(own, name, target, options)


def resume(sets: OpenSets, name: str, gate: Verifier | None = None, *, background: bool = False) -> MigrationStatus:
    """Go on with the open migration of a set, also with one whose worker died; with `background` in another process.

    Raises as `run` and `start` do, and UsageError where it is held by a gate that is not given.
    """
    options = JobOptions.from_dict(opened(sets.writable_state(), name).options)
    if background:
        from embassay.sets.migration.background import start

        return start(sets, name)
    if options.gate and gate is None:
        raise UsageError(
            f"the migration of set {name!r} is held by the judged set {options.gate}, which is not given.",
            remedy=remedy.command("migrate", name, resume=True, say="Give it as gate, or go on with"),
        )
    with paying(sets, name, options) as own:
        run(own, name, verifiers(gate, strict=options.strict), found_lately(sets, name))
    return status_of_migration(sets, name)


def change(
    sets: OpenSets, name: str, *, rate: float | None = None, max_spend: float | None = None, gate: str | None = None
) -> JobOptions:
    """Have the open migration done in another way from now on; what is None stays. Its options then.

    A worker that is at it goes on as it began. Raises MigrationState, UsageError.
    """
    migration = opened(sets.writable_state(), name)
    asked = {"rate": rate, "max_spend": max_spend, "gate": gate}
    was = JobOptions.from_dict(migration.options)
    options = replace(was, **{key: value for key, value in asked.items() if value is not None})  # type: ignore[arg-type]
    if options != was:
        sets.state.migrations.change_options(migration, options.to_dict())
    return options


def pause(sets: OpenSets, name: str) -> MigrationStatus:
    """Have the worker of a migration stop soon; what it has embedded is kept. Raises MigrationState."""
    migration = opened(sets.writable_state(), name)
    if migration.state != "paused":
        if migration.state not in WORKING:
            raise MigrationState(
                f"the migration of set {name!r} is {migration.state}: nobody is at work who could pause.",
                remedy=status_of_migration(sets, name).next,
            )
        sets.state.migrations.advance(migration, WORKING, "paused", reason="asked to", resumes=migration.state)
    return status_of_migration(sets, name)


def abort(sets: OpenSets, name: str, reason: str = "asked to") -> bool:
    """Give the open migration of a set up: what was built goes, the live generation stays. Raises MigrationState.

    Whether it is gone: what its worker does not let go of stays for whoever sweeps next.
    """
    migration = opened(sets.writable_state(), name)
    sets.state.moves.abandon(migration, reason)
    until = time.monotonic() + LET_GO_SECONDS
    while sweep(sets) == 0 and sets.state.roster.leftovers() and time.monotonic() < until:
        time.sleep(0.1)
    return migration.generation not in sets.state.roster.leftovers()


@contextmanager
def paying(sets: OpenSets, name: str, options: JobOptions) -> Iterator[OpenSets]:
    """The same sets with models whose spending is counted as that of this migration, over all its runs."""
    models = sets.models.again(Payer(options.run, PURPOSE))
    if options.max_spend is not None:
        more = remedy.command("migrate", name, resume=True, max_spend="USD", say="Go on with")
        around = configured_budget(models.config, models.ledger, models.payer, models.events, must=True)
        models.budget = RunBudget(around, models.ledger, models.payer, options.max_spend, more)
    with models, closing(sets.beside(models)) as own:
        yield own


def found_lately(sets: OpenSets, name: str) -> Callable[[str], float] | None:
    """How lately an origin was found by a search, from the query log; None where there is none.

    What people look for is embedded first, so that a cascade serves it early.
    """
    latest: dict[str, float] = {}
    for entry in sets.query_log.entries(name, MOST_SEARCHES):
        for hit in entry.hits:
            latest.setdefault(hit.document, entry.asked)
    if not latest:
        return None
    return lambda path: latest.get(path, 0.0)
