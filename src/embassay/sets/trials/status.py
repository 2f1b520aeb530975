"""How a trial stands: for people and programs, without anything being measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from embassay import remedy
from embassay.errors import HomeError
from embassay.sets.trials.terms import TrialFinding, TrialTerms

if TYPE_CHECKING:
    from embassay.remedy import Remedy
    from embassay.sets.opened import OpenSets
    from embassay.sets.trials.table import Trial

Stands = Literal["running", "due", "blocked", "undecided", "kept", "reverted", "ended"]
CLOCK_SECONDS = 120.0
"""By how much clocks of machines that share a home may differ."""


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """One trial as it is now."""

    set: str
    state: Stands
    """``running``; ``due``: its time is over and nobody has looked; ``blocked``: it is due and cannot be measured;
    ``undecided``: what was observed when it was due decides nothing; ``kept``, ``reverted``; ``ended``: the set was
    switched, rolled back or migrated meanwhile."""
    reason: str
    """Why it was decided so, has ended, or cannot be measured; empty otherwise."""
    generation: str
    """Name of the one on trial; empty where it is gone."""
    space: str
    baseline: str
    """Name of the one that was live before; empty where it is gone."""
    baseline_space: str
    started: float
    ends: float
    """Seconds since 1970: when the switch was made, and when the trial is due."""
    terms: TrialTerms
    findings: Sequence[TrialFinding] = ()
    """What is observed so far, or was when it was decided; none where nobody looked."""
    notice: str = ""
    """What whoever reads the figures has to know."""
    mend: Remedy = remedy.NOTHING
    """What helps where it is blocked."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided it."""
        return self.state in ("running", "due", "blocked", "undecided")

    @property
    def next(self) -> Remedy:
        """What to do next."""
        keep = remedy.command("trial", self.set, keep=True, say="Keep it with {},")
        back = remedy.command("rollback", self.set, say="go back with {},")
        longer = remedy.command("trial", self.set, extend="7d", say="or go on watching with")
        if self.state == "due":
            return remedy.command("trial", self.set, say="Decide it with")
        if self.state == "blocked":
            return self.mend + keep + back + longer
        if self.state == "undecided":
            return keep + back + longer
        if self.state == "running":
            return remedy.command("trial", self.set, say="Look at it, and decide it when it is due, with")
        return remedy.command("log", self.set, say="What happened says")

    def to_dict(self) -> dict[str, object]:
        """The status as JSON has it."""
        names = ("set", "state", "reason", "generation", "space", "baseline", "baseline_space", "started", "ends")
        return (
            {name: getattr(self, name) for name in names}
            | {"terms": self.terms.to_dict(), "findings": [one.to_dict() for one in self.findings]}
            | {"notice": self.notice, "next": str(self.next)}
            | {"actions": [action.to_dict() for action in self.next.actions]}
        )


def status_of_trial(sets: OpenSets, trial: Trial) -> TrialStatus:
    """How a trial stands now, as the state has it. Raises HomeError."""
    new, old = (_named(sets, one) for one in (trial.generation, trial.baseline))
    return TrialStatus(
        trial.set_name,
        _stands(trial, time.time()),
        trial.reason,
        *new,
        *old,
        trial.started,
        trial.ends,
        trial.terms,
        trial.findings,
        _notice(sets, trial),
    )


def open_trial(sets: OpenSets, name: str) -> TrialStatus | None:
    """How the open trial of a set stands; None where it has none. Raises HomeError."""
    trial = sets.state.trials.open(name)
    return status_of_trial(sets, trial) if trial else None


def _stands(trial: Trial, now: float) -> Stands:
    if trial.state == "running" and now >= trial.ends:
        return "due"
    return trial.state  # type: ignore[return-value]


def _notice(sets: OpenSets, trial: Trial) -> str:
    """That the clock cannot be right: what happened to the set last, or the beginning, lies before it."""
    last = sets.state.history.of(trial.set_name, 1)
    latest = max([trial.started, *(one.happened for one in last)])
    if trial.is_open and latest > time.time() + CLOCK_SECONDS:
        return "The clock stands before the last change of this set: the trial is due when the clock gets there."
    return ""


def _named(sets: OpenSets, generation: int) -> tuple[str, str]:
    try:
        found = sets.state.generation(generation)
    except HomeError:  # it was collected since
        return "", ""
    return found.name, str(found.space)
