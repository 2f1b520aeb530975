"""Switch and rollback: the set is pointed at another generation, in one compare-and-set, with nothing left behind.

Whoever switches holds the right to write both generations, brings what still differs, and only then changes the one row
that says which is live. Searches that began on the old one finish on it. The one that was live is kept for a while: it
is written as well, and `embassay.sets.gc` removes it once that time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import MigrationState, SetMoved, UsageError
from embassay.events import Noted, Warned
from embassay.sets.followers import CANNOT, bring_up, waiting_for_model
from embassay.sets.history import who
from embassay.sets.moves import ROLLED_BACK, TrialBegun, TrialVerdict, on_live
from embassay.sets.tokens import tell_of_tokens
from embassay.sets.trials.terms import SECONDS_A_DAY, UNTIL_DECIDED

if TYPE_CHECKING:
    from embassay.sets.migration.table import Migration
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation, SetState
    from embassay.sets.trials.table import Trial
    from embassay.sets.trials.terms import TrialTerms

KEEP_SECONDS = 7 * SECONDS_A_DAY
"""How long the generation that was live is kept, so that one can go back."""
LONGEST_SECONDS = 3660 * SECONDS_A_DAY
BUILT = ("verifying", "failed")
"""States of a migration whose generation is whole, and not proven: what force may switch to."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch or a rollback did."""

    set: str
    was: Generation
    now: Generation
    brought: int
    """Documents that were written since and had to be brought."""
    words_only: int
    """Documents that are found by words only, because the model of this generation cannot embed them now."""
    seconds: float
    keep_until: float | None
    """Seconds since 1970 until which the one that was live is kept and written as well; None until a trial decides."""
    trial: TrialTerms | None = None
    """On which terms the new one is on trial, where it is."""
    model_error: str = ""
    """Why the model of a generation that was gone back to cannot be asked now, so that searches are by words only."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "set": self.set,
            "from": {"generation": self.was.name, "space": str(self.was.space)},
            "to": {"generation": self.now.name, "space": str(self.now.space)},
            "brought": self.brought,
            "words_only": self.words_only,
            "seconds": round(self.seconds, 3),
            "keep_until": self.keep_until,
            "trial": self.trial and self.trial.to_dict(),
            "model_error": self.model_error,
        }


def switch(
    sets: OpenSets,
    name: str,
    *,
    to: str | None = None,
    keep_seconds: float = KEEP_SECONDS,
    force: bool = False,
    why: str = "",
    trial: TrialTerms | None = None,
) -> Switched:
    """Make another generation the live one: that which was built, or the kept one where `to` names it.

    Waits for whoever writes the set. With `force`, for which `why` gives the reason, one that was built and not proven
    is switched to as well. With a `trial` it is watched for a time, and the one that was live is kept until that is
    decided, and for `keep_seconds` after that: see `embassay.sets.trials`. Raises SetNotFound, UsageError, and
    MigrationState for a generation that is not ready.
    """
    _check(keep_seconds, force=force, why=why)

    def target() -> tuple[int, str, Mapping[str, object]]:
        of_set = sets.state.set(name)
        if to is not None and _is_kept(sets, of_set, to):
            assert of_set.previous is not None, "it was found by its name"
            return of_set.previous, ROLLED_BACK, {}
        migration = _built(sets, name)
        return migration.generation, "switched", _allowed(migration, force=force)

    said = {"who": who(), **({"why": why} if why else {})}
    begun = TrialBegun(trial, keep_seconds / SECONDS_A_DAY) if trial else None
    return on_live(lambda: _point(sets, name, target, keep_seconds, said, begun))


def take_back(sets: OpenSets, verdict: TrialVerdict) -> Switched:
    """Make the generation live again that a trial was held against, and write its verdict down, in one transaction.

    Raises SetMoved where somebody has decided the trial or switched the set meanwhile, HomeError, StoreError.
    """
    trial = verdict.trial
    said = {"who": who(), "trial": verdict.reason, "findings": [one.to_dict() for one in verdict.findings]}
    seconds = trial.keep_days * SECONDS_A_DAY

    def target() -> tuple[int, str, Mapping[str, object]]:
        if not sets.state.trials.again(trial).is_open:
            raise SetMoved(f"the trial of set {trial.set_name!r} was decided meanwhile.", remedy="Look at it again.")
        return trial.baseline, ROLLED_BACK, {}

    return _point(sets, trial.set_name, target, seconds, said, verdict=verdict)


def rollback(
    sets: OpenSets,
    name: str,
    *,
    keep_seconds: float = KEEP_SECONDS,
    why: str = "",
) -> Switched:
    """Make the generation live again that was it before; the present one is kept in its place.

    What the former one's model cannot embed now is found by words only: `Switched.words_only` counts it. Waits for
    whoever writes the set. Raises SetNotFound, UsageError, and MigrationState where none is kept.
    """
    _check(keep_seconds)
    meant = sets.state.set(name).live

    def target() -> tuple[int, str, Mapping[str, object]]:
        of_set = sets.state.set(name)
        if of_set.live != meant:  # to go back once more would undo what the other process did
            raise MigrationState(
                f"set {name!r} was switched by another process meanwhile.",
                remedy=remedy.command("log", name, say="Look at what happened to it"),
            )
        previous = of_set.previous
        if previous is None:
            raise MigrationState(
                f"set {name!r} has no generation that was live before.",
                remedy=remedy.command("log", name, say="Look at what happened to it"),
            )
        return previous, ROLLED_BACK, {}

    said = {"who": who(), **({"why": why} if why else {})}
    done = on_live(lambda: _point(sets, name, target, keep_seconds, said))
    return replace(done, model_error=_model_error(sets, done.now))


def _model_error(sets: OpenSets, generation: Generation) -> str:
    """Why its model cannot be asked; empty where it answers. It is asked past every cache, for one word."""
    try:
        uncached(sets.embedder(generation)).embed(["word"], "query")
    except CANNOT as error:
        return str(error)
    return ""


def _check(keep_seconds: float, *, force: bool = False, why: str = "") -> None:
    if not 0 <= keep_seconds < LONGEST_SECONDS:
        raise UsageError(
            f"the old generation is to be kept for {keep_seconds / SECONDS_A_DAY:,.0f} days; it must be 0 to "
            f"{LONGEST_SECONDS / SECONDS_A_DAY:,.0f}."
        )
    if force and not why.strip():
        raise UsageError(
            "a switch to a generation that is not proven has to have a reason, which the history keeps.",
            remedy=remedy.option("why", "TEXT", say="Say it with {}."),
        )


def _built(sets: OpenSets, name: str) -> Migration:
    migration = sets.state.migrations.open(name)
    if migration is None:
        build = remedy.command("migrate", name, to="MODEL", say="Build one")
        back = remedy.command("rollback", name, say="Go back to the one that was live before")
        kept = sets.state.set(name).previous is not None
        raise MigrationState(
            f"set {name!r} has no generation that was built to be switched to.", remedy=back if kept else build
        )
    return migration


def _is_kept(sets: OpenSets, of_set: SetState, to: str) -> bool:
    """Whether `to` names the kept generation rather than the one that is built. Raises UsageError for any other."""
    known = {sets.state.generation(one).name: one for one in (of_set.live, *of_set.followers)}
    if to not in known:
        raise UsageError(
            f"set {of_set.name!r} has no generation {to!r}.",
            remedy=remedy.say(f"It has: {', '.join(known)}."),
        )
    if known[to] == of_set.live:
        raise UsageError(f"generation {to} of set {of_set.name!r} is live already.")
    return known[to] == of_set.previous


def _allowed(migration: Migration, *, force: bool) -> Mapping[str, object]:
    """What the history says of a switch that was forced. Raises MigrationState for one that is not allowed."""
    if migration.state == "ready":
        return {}
    reason = f" ({migration.reason})" if migration.reason else ""
    stands = f"the migration of set {migration.set_name!r} is {migration.state}{reason}"
    is_built = migration.state in BUILT or (migration.state == "paused" and migration.resumes in BUILT)
    if force and is_built:
        return {"forced": {"state": migration.state, "reason": migration.reason}}
    only = "only one that is ready is switched to" + (", and by force one that is whole" if force else "")
    raise MigrationState(
        f"{stands}; {only}.", remedy=remedy.command("migrate", migration.set_name, resume=True, say="Go on with it")
    )


def _point(
    sets: OpenSets,
    name: str,
    target: Callable[[], tuple[int, str, Mapping[str, object]]],
    keep_seconds: float,
    detail: Mapping[str, object],
    trial: TrialBegun | None = None,
    verdict: TrialVerdict | None = None,
) -> Switched:
    started = time.monotonic()
    state = sets.writable_state()
    live, ended = sets.live(name), None if verdict else state.trials.open(name)
    to, what, allowed = target()
    new = state.generation(to)
    with _both(sets, live, new):
        brought = bring_up(sets, live, new)
        words_only = waiting_for_model(state, new)
        figures = {"from": str(live.space), "to": str(new.space), "brought": brought.origins, "words_only": words_only}
        keep_until = UNTIL_DECIDED if trial else time.time() + keep_seconds
        state.moves.switch(
            name,
            live.id,
            new.id,
            what=what,
            keep_until=keep_until,
            detail={**figures, **allowed, **detail},
            trial=trial,
            verdict=verdict,
        )
    tell_of_end(sets, ended)
    tell_of_tokens(sets, live, new)
    took, kept = time.monotonic() - started, None if trial else keep_until
    return Switched(name, live, new, brought.origins, words_only, took, kept, trial.terms if trial else None)


def tell_of_end(sets: OpenSets, ended: Trial | None) -> None:
    """Say that a trial which was open ended undecided, because its set was moved elsewhere."""
    if ended is not None:
        sets.events.tell(Warned(f"The trial of set {ended.set_name!r} ended with that, before it was decided."))


@contextmanager
def _both(sets: OpenSets, live: Generation, new: Generation) -> Iterator[None]:
    """The right to write both, in the order in which every writer takes them. Raises SetMoved."""
    with ExitStack() as stack:
        stack.enter_context(sets.writing(live))
        stack.enter_context(sets.folder.writing(new, partial(sets.events.tell, Noted("waiting for another process"))))
        if new.id not in sets.state.set(live.set_name).followers:  # it was given up, or removed, while this one waited
            raise SetMoved(f"set {live.set_name!r} was changed meanwhile.", remedy="Look at it again.")
        yield
