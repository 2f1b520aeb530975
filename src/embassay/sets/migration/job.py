"""The work of a migration: backfill, catching up, verification. Whoever calls `run` is its worker.

A worker that dies leaves its state behind, and the next call of `run`, in any process, goes on: what is stored is found
by comparing the two generations, so that nothing is embedded twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.embedders.wrap.halting import Halting
from embassay.embedders.wrap.paced import Paced
from embassay.errors import EmbassayError, HomeError, Interrupted, MigrationPaused, MigrationState, SetInUse
from embassay.events import Events, WorkAdvanced, WorkStarted
from embassay.sets.build.following import Books, Following
from embassay.sets.build.run import write_changes
from embassay.sets.build.wholesale import derive_all
from embassay.sets.build.writer import Writer
from embassay.sets.followers import behind
from embassay.sets.migration.beginning import JobOptions
from embassay.sets.migration.progress import Tracker
from embassay.sets.migration.table import OPEN, WORKING, Migration
from embassay.sets.migration.verification import VerificationReport
from embassay.text import moment

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.sets.migration.check import Verifier
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation, State

POLL_SECONDS = 0.5
"""How often a worker looks whether somebody paused or aborted its migration."""
FEW = 8
"""Origins that differ at most once the backfill counts as caught up: the switch brings the last of them."""
ROUNDS = 20
"""Times that a migration is caught up with what is written meanwhile, before the rest is left to the switch."""


def run(
    sets: OpenSets,
    name: str,
    verifiers: Sequence[Verifier] = (),
    first: Callable[[str], float] | None = None,
) -> Migration:
    """Bring the open migration of set `name` as far as ``ready``, from wherever it is; the migration then.

    Where a check does not hold, it is ``failed`` then, with what was found as its report. Origins of the highest
    `first` are embedded first. Raises MigrationState where there is none, or where it was paused or aborted meanwhile,
    MigrationPaused where it cannot go on now, SetInUse where another worker is at it, Interrupted, and as embedding and
    storing do.
    """
    migration = opened(sets.writable_state(), name)
    target = sets.state.generation(migration.generation)
    with sets.folder.writing(target, partial(_refuse, name)), sets.state.jobs.run("migrate", target.id):
        worker = _Worker(sets, migration, target, first)
        with worker.pausing():
            worker.backfill()
            worker.catch_up()
            return worker.verify(verifiers)


def opened(state: State, name: str) -> Migration:
    """The migration of a set that is neither switched nor given up. Raises MigrationState where there is none."""
    state.set(name)
    migration = state.migrations.open(name)
    if migration is None:
        raise MigrationState(
            f"set {name!r} is not being migrated.", remedy=remedy.command("migrate", name, to="MODEL", say="Begin with")
        )
    return migration


class _Worker:
    """One run of a migration, by whoever holds the right to write its generation."""

    def __init__(
        self, sets: OpenSets, migration: Migration, target: Generation, first: Callable[[str], float] | None
    ) -> None:
        self._sets, self._state, self._target, self._first = sets, sets.state, target, first
        self._migration = migration
        self._live = sets.live(migration.set_name)
        self._options = JobOptions.from_dict(migration.options)
        self._tracker = Tracker(sets.state.migrations, migration)
        self._events = Events(within=sets.events)
        self._events.subscribe(WorkAdvanced, self._tracker)

    def backfill(self) -> None:
        """Embed whatever the new generation does not have yet."""
        self._enter(OPEN, "backfilling")
        self._copy(f"Migrating {self._migration.set_name} to {self._target.space}")

    def catch_up(self) -> None:
        """Bring what was written during the backfill."""
        self._enter(("backfilling",), "catching-up")
        for _ in range(ROUNDS):
            if behind(self._state, self._live, self._target) <= FEW:
                break
            self._copy("Catching up")
        self._sets.store(self._target).optimise(thorough=True)

    def verify(self, verifiers: Sequence[Verifier]) -> Migration:
        """Hold the new generation against the live one; it is ready, or has failed."""
        self._enter(("catching-up",), "verifying")
        halted = threading.Event()
        around = partial(Halting, halted=halted, error=self._stopped)
        with closing(self._sets.beside(self._sets.models, around)) as sets, self._watched(halted.set):
            checks = tuple(one for verifier in verifiers for one in verifier(sets, self._live, self._target))
        report = VerificationReport(checks)
        self._enter(
            ("verifying",), "ready" if report.passed else "failed", reason=report.reason, report=report.to_dict()
        )
        return self._migration

    def _enter(
        self, expected: Sequence[str], new: str, *, reason: str = "", report: Mapping[str, object] | None = None
    ) -> None:
        try:
            self._migration = self._state.migrations.advance(
                self._migration,
                expected,
                new,  # type: ignore[arg-type]
                reason=reason,
                report=report,
            )
        except MigrationState:
            raise self._stopped() from None

    def _stopped(self) -> MigrationState:
        return stopped_by_another(self._state, self._migration)

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """What stops the work pauses the migration: its state says why, and that it can be resumed."""
        try:
            yield
        except Interrupted:
            self._pause("stopped")
            raise
        except MigrationState:
            raise
        except EmbassayError as error:
            self._pause(error.message, getattr(error, "retry_at", None))
            raise paused_by(self._migration.set_name, error) from error

    def _copy(self, what: str) -> None:
        self._tracker.next_piece()
        with closing(self._sets.folder.store(self._live)) as theirs:
            ours = self._sets.store(self._target)
            live, target = Books(self._state, self._live, theirs), Books(self._state, self._target, ours)
            derive_all(live, target)
            source = Following(live, target, first=self._first)
            if not source.names:
                return
            self._events.tell(WorkStarted(what, source.total))
            with self._watched(source.stop) as halted:
                writer = Writer(self._state, self._target, ours)
                embedder = Halting(self._embedder(source), halted, self._stopped)
                write_changes(source, writer, embedder, self._events)
            if halted.is_set():
                raise self._stopped()

    def _embedder(self, source: Following) -> Embedder:
        embedder = self._sets.embedder(self._target)
        return Paced(embedder, self._options.rate, source.stopped) if self._options.rate else embedder

    def _pause(self, reason: str, retry_at: float | None = None) -> None:
        """Where that cannot be written either, the state stays as it is, and `run` goes on from there."""
        self._tracker.note()
        with suppress(HomeError):
            self._state.migrations.advance(
                self._migration,
                WORKING,
                "paused",
                reason=reason,
                resumes=self._migration.state,
                retry_at=retry_at,
            )

    @contextmanager
    def _watched(self, stop: Callable[[], None]) -> Iterator[threading.Event]:
        """Call `stop` once somebody brings the migration into another state; the event is set then."""
        over, halted = threading.Event(), threading.Event()

        def watch() -> None:
            while not over.wait(POLL_SECONDS):
                with suppress(HomeError):  # a busy disk is asked again
                    now = self._state.migrations.building(self._target.id)
                    if now is None or now.state not in WORKING:
                        halted.set()
                        stop()
                        return

        threading.Thread(target=watch, name="migration", daemon=True).start()
        try:
            yield halted
        finally:
            over.set()
            self._tracker.note()


def stopped_by_another(state: State, migration: Migration) -> MigrationState:
    """The error of a worker whose migration was paused or aborted by somebody else."""
    now = state.migrations.building(migration.generation)
    found, name = now.state if now else "gone", migration.set_name
    mend = remedy.command("migrate", name, resume=True, say="Go on with")
    if found == "paused":
        return MigrationPaused(f"the migration of set {name!r} was paused.", "paused", remedy=mend)
    return MigrationState(f"the migration of set {name!r} is {found}.")


def paused_by(name: str, error: EmbassayError) -> MigrationPaused:
    """What is told of an error for which a migration cannot go on now."""
    retry_at = getattr(error, "retry_at", None)
    again = "" if retry_at is None else f" It can go on from {moment(retry_at + 59)} on."
    return MigrationPaused(
        f"the migration of set {name!r} is paused: {error.message}{again}",
        error.code,
        retry_at=retry_at,
        remedy=error.remedy + remedy.command("migrate", name, resume=True, say="Go on with"),
    )


def _refuse(name: str) -> None:
    raise SetInUse(
        f"another worker is at the migration of set {name!r}.",
        remedy=remedy.command("migrate", name, status=True, say="Look at it"),
    )
