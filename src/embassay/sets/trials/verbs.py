"""The verbs of a trial: prepared, looked at and decided, extended, kept.

Nothing runs by itself: a trial is decided by whoever looks at it first after its end. A look before the end decides
nothing, because whoever looks often enough will see a difference beyond any threshold once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from embassay import remedy
from embassay.errors import EmbassayError, Interrupted, MigrationState, SetMoved, UsageError
from embassay.sets.history import who
from embassay.sets.migration.beginning import JobOptions
from embassay.sets.migration.switching import take_back
from embassay.sets.moves import TrialVerdict
from embassay.sets.trials.status import TrialStatus, status_of_trial
from embassay.sets.trials.table import OPEN
from embassay.sets.trials.terms import LONGEST_DAYS, SECONDS_A_DAY, TrialFinding, TrialTerms, decision

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.sets.trials.table import Trial


class Observer(Protocol):
    """Holds the generation on trial against the one that was live before."""

    def __call__(self, sets: OpenSets, trial: Trial, old: Generation, new: Generation) -> Sequence[TrialFinding]:
        """What each kind of evidence says. Raises as the model, the stores and judged data do."""


def prepared(sets: OpenSets, name: str, terms: TrialTerms) -> TrialTerms:
    """The terms as they are stored: without a judged set, that of the migration's gate.

    Raises UsageError where nothing could be observed: there is neither a judged set nor a query log.
    """
    migrations = sets.state.migrations.of(name)
    judged = terms.judged or (JobOptions.from_dict(migrations[0].options).gate if migrations else "")
    if judged:
        place = sets.folder.file_of(judged)
        if not place.exists():
            raise UsageError(f"the judged set {judged[:200]!r} is not there.", remedy=_another_folder())
        return replace(terms, judged=judged)
    if sets.query_log.config.queries == "off":
        raise UsageError(
            "a trial would observe nothing: there is no judged set, and the query log is off.",
            remedy=_another_folder() + remedy.setting("query_log", "kept", say="or turn the log on: {}."),
        )
    return terms


def look(sets: OpenSets, name: str, observer: Observer | None = None) -> TrialStatus:
    """How the trial of a set stands; with an `observer` it is measured now, and decided where it is due.

    One that is not due, or was undecided when it was, is left as it is. Raises SetNotFound, and MigrationState where
    the set has no trial.
    """
    trial = _last(sets, name)
    stands = status_of_trial(sets, trial)
    if observer is None or trial.state != "running":
        return stands
    try:
        findings = _observed(sets, trial, observer)
    except Interrupted:
        raise
    except EmbassayError as error:
        blocked = "blocked" if stands.state == "due" else stands.state
        return replace(stands, state=blocked, reason=error.message, mend=error.remedy)
    if status_of_trial(sets, trial).state != "due":
        return replace(stands, findings=findings)
    return _decided(sets, trial, findings)


def keep(sets: OpenSets, name: str, why: str = "") -> TrialStatus:
    """Decide by hand that the new generation stays. Raises SetNotFound, MigrationState where no trial is open."""
    trial = _open(sets, name)
    said = f"kept by {who()}" + (f": {why}" if why else "")
    return _settled(sets, trial, lambda: sets.state.trials.keep(trial, OPEN, said, trial.findings))


def extend(sets: OpenSets, name: str, days: float) -> TrialStatus:
    """Have an open trial run so many days longer, from its end or, where that is over, from now.

    Raises SetNotFound, UsageError, MigrationState where no trial is open.
    """
    if not 0 < days <= LONGEST_DAYS:
        raise UsageError(f"it cannot run {days:,g} days longer: write more than 0 and at most {LONGEST_DAYS:g}.")
    trial = _open(sets, name)
    ends = max(time.time(), trial.ends) + days * SECONDS_A_DAY
    return _settled(sets, trial, lambda: sets.state.trials.extend(trial, ends))


def _observed(sets: OpenSets, trial: Trial, observer: Observer) -> Sequence[TrialFinding]:
    of_set = sets.state.set(trial.set_name)
    if (of_set.live, of_set.previous) != (trial.generation, trial.baseline):
        raise MigrationState(f"set {trial.set_name!r} has not the two generations any more that are compared.")
    return observer(sets, trial, sets.state.generation(trial.baseline), sets.state.generation(trial.generation))


def _decided(sets: OpenSets, trial: Trial, findings: Sequence[TrialFinding]) -> TrialStatus:
    said, reason = decision(findings), " ".join(one.detail for one in findings)
    if said == "keep":
        return _settled(sets, trial, lambda: sets.state.trials.keep(trial, ("running",), reason, findings))
    if said == "revert":
        return _settled(sets, trial, lambda: take_back(sets, TrialVerdict(trial, reason, findings)))
    return _settled(sets, trial, lambda: sets.state.trials.leave_open(trial, reason, findings))


def _settled(sets: OpenSets, trial: Trial, settle: Callable[[], object]) -> TrialStatus:
    """What became of it, by this process or by one that was faster."""
    try:
        settle()
    except SetMoved:
        if sets.state.trials.again(trial) == trial:  # nobody has decided it: the set itself is in the way
            raise
    return status_of_trial(sets, sets.state.trials.again(trial))


def _last(sets: OpenSets, name: str) -> Trial:
    sets.state.set(name)
    trial = sets.state.trials.last(name)
    if trial is None:
        raise MigrationState(
            f"set {name!r} has no trial.", remedy=remedy.command("switch", name, trial="7d", say="Begin one with")
        )
    return trial


def _open(sets: OpenSets, name: str) -> Trial:
    trial = _last(sets, name)
    if not trial.is_open:
        raise MigrationState(
            f"the trial of set {name!r} is over: it was {trial.state}.",
            remedy=remedy.command("log", name, say="Look at what happened"),
        )
    return trial


def _another_folder() -> remedy.Remedy:
    return remedy.option("judged", "DIR", say="Name one with {},")
