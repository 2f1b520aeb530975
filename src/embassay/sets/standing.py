"""The generations of a set as they stand, and the work that is done or was done on them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

    from embassay.sets.opened import OpenSets
    from embassay.sets.state import SetState

Standing = Literal["live", "previous", "building"]


@dataclass(frozen=True, slots=True)
class StandingGeneration:
    """One build of a set in one space."""

    standing: Standing
    """``live`` is searched, ``previous`` was before, and is kept for a rollback, ``building`` is not ready yet."""
    name: str
    space: str
    space_digest: str
    dimensions: int
    model: str
    precision: str
    dtype: str
    documents: int
    chunks: int
    waiting: int
    """Chunks that are found by words only."""
    bytes: int
    """On disk."""
    keep_until: float | None
    """Of a previous one: seconds since 1970 until which it is kept and written as well."""

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SetWork:
    """One run that wrote a set: of `index`, of `watch`, or of what a program sent."""

    set: str
    kind: str
    state: Literal["running", "done", "failed", "died"]
    process: str
    """``host:pid``."""
    started: float
    ended: float
    """Seconds since 1970; of one that runs, when it was last alive."""
    error: str
    """The code of the error that it failed with."""


def generations_of(sets: OpenSets, name: str) -> list[StandingGeneration]:
    """The generations of a set, the live one first. Raises HomeNotFound, SetNotFound."""
    state, sizes = sets.state, sets.folder.sizes()
    made = []
    for standing, identity in _builds(state.set(name)):
        one = state.generation(identity)
        totals = state.totals(one)
        made.append(
            StandingGeneration(
                standing,
                one.name,
                str(one.space),
                one.space.digest,
                one.space.dimensions,
                one.spec.model,
                one.spec.precision,
                one.spec.dtype,
                totals.documents,
                totals.chunks,
                totals.waiting,
                sizes.get(one.name, 0),
                state.set(name).keep_until or None if standing == "previous" else None,
            )
        )
    return made


def newest_work(sets: OpenSets, limit: int, of: Collection[str] | None = None) -> list[SetWork]:
    """The newest runs that wrote a set, of all sets or of those that are named. Raises HomeNotFound."""
    now, found = time.time(), []
    for name, job in sets.state.jobs.newest(limit, of):
        died = job.state == "running" and not job.is_alive(now)
        state = "died" if died else job.state
        found.append(SetWork(name, job.kind, state, job.process, job.started, job.heartbeat, job.detail))  # type: ignore[arg-type]
    return found


def _builds(of_set: SetState) -> list[tuple[Standing, int]]:
    every: list[tuple[Standing, int | None]] = [
        ("live", of_set.live),
        ("previous", of_set.previous),
        ("building", of_set.building),
    ]
    return [(standing, one) for standing, one in every if one is not None]
