"""Keeps the other generations of a set in step with the live one: the one that was live, and one that is ready to be.

Whoever has written the live generation brings its followers along before it lets go of the right to write, so that a
switch or a rollback loses nothing. What a follower's model cannot embed now is stored without a vector, found by words
only, and done by the next call that can. A process that dies in between leaves a difference, which the next switch or
rollback finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, Interrupted, ModelError, ProviderError, SpaceMismatch
from embassay.events import Noted, Warned
from embassay.sets.build.following import Books, Following
from embassay.sets.build.origin import New
from embassay.sets.build.run import write_changes
from embassay.sets.build.writer import Writer

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation, SetState, State

CANNOT = (ModelError, ProviderError, SpaceMismatch)
"""Why the model of a follower may not embed a text that the live one did."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What it took to bring a follower up to date."""

    origins: int = 0
    embedded: int = 0
    words_only: int = 0
    """Origins that wait for the model, found by words only until then."""
    usd: float | None = None


def bring_along(sets: OpenSets, state: State, live: Generation, names: Iterable[str]) -> None:
    """Write what was written to the live generation to its followers as well, whose right to write is taken here.

    An error is told and not raised: the live generation has what it was given.
    """
    of_set = state.set(live.set_name)
    names = [*names]
    for identity in following(state, of_set) if names else ():
        follower = state.generation(identity)
        try:
            with sets.folder.writing(follower, partial(_waiting, sets)):
                brought = bring_up(sets, live, follower, names)
        except Interrupted:
            raise
        except EmbassayError as error:
            sets.events.tell(Warned(f"generation {follower.name} of set {live.set_name!r} is behind: {error.message}"))
            continue
        if brought.words_only:
            sets.events.tell(
                Warned(
                    f"{brought.words_only:,} documents wait for {follower.spec.model}: after a switch to it they are "
                    "found by words only until it embeds them."
                )
            )


def following(state: State, of_set: SetState) -> list[int]:
    """The followers that whoever writes keeps in step. One that is built catches up by itself until it is ready, and
    one whose time to be kept is over is written no more."""
    found = [] if of_set.previous is None or of_set.keep_until <= time.time() else [of_set.previous]
    if of_set.building is not None:
        migration = state.migrations.building(of_set.building)
        if migration is not None and migration.state == "ready":
            found.append(of_set.building)
    return found


def bring_up(sets: OpenSets, leader: Generation, follower: Generation, names: Iterable[str] | None = None) -> Brought:
    """Make `follower` hold what `leader` holds of these origins, or of all. The caller may write the follower.

    What its model cannot embed is stored without vectors. Raises StoreError, HomeError, Interrupted.
    """
    asked = None if names is None else [*names]
    try:
        return _brought(sets, leader, follower, asked)
    except CANNOT:
        return _brought(sets, leader, follower, asked, words_only=True)


def behind(state: State, leader: Generation, follower: Generation) -> int:
    """How many origins differ, those included that wait for the model."""
    return len(state.lags.between(leader.id, follower.id))


def waiting_for_model(state: State, generation: Generation) -> int:
    """Origins of a generation that are found by words only."""
    return sum(row.waits for row in state.sources(generation))


def _brought(
    sets: OpenSets, leader: Generation, follower: Generation, names: Iterable[str] | None, *, words_only: bool = False
) -> Brought:
    state = sets.state
    with closing(sets.folder.store(leader)) as theirs:
        ours = sets.store(follower)
        source = Following(Books(state, leader, theirs), Books(state, follower, ours), names, words_only=words_only)
        if not source.names:
            return Brought()
        writer = Writer(state, follower, ours)
        if words_only:  # the model may not even be there to be opened
            with writer:
                for change in source:
                    writer.add(change, change.vector if isinstance(change, New) else None)
            now = state.sources_of(follower, source.names)
            return Brought(len(source.names), 0, sum(row.waits for row in now.values()))
        embedded, usage = write_changes(source, writer, sets.embedder(follower), sets.events)
    return Brought(len(source.names), embedded, 0, usage.usd)


def _waiting(sets: OpenSets) -> None:
    sets.events.tell(Noted("waiting for another process to finish"))
