"""What a home holds and nobody needs any more: what that would free, and its removal.

Generations that no set has, because it was deleted or its migration given up; the kept generation of a set once its
time is over; that of a migration which failed long ago; and collections of the store that the state does not know,
which a killed process left. Nothing is removed that a process writes or has open.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from embassay.config.values import DEFAULT_STORE
from embassay.errors import EmbassayError, HomeError, HomeNotWritable, SetInUse, StoreError
from embassay.sets.holds import held_alone
from embassay.sets.migration.switching import KEEP_SECONDS
from embassay.sets.opened import OpenSets
from embassay.stores.opening import collections_in, remove_collection

if TYPE_CHECKING:
    from embassay.sets.state import Generation, State
    from embassay.stores.values import KeptCollection

YOUNG_SECONDS = 3600.0
"""A collection is made before the row that names it: one as young as this may be about to get its row."""
_OURS = re.compile(r"g[0-9a-f]{12}")
"""The name of a collection that a home made, see `embassay.sets.state.new_collection`."""

Kind = Literal["leftover", "kept", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something that can go."""

    kind: Kind
    """``leftover``: no set has it; ``kept``: its time is over; ``failed``: of a migration that failed long ago;
    ``unknown``: a collection that the state does not know."""
    set: str
    """The set that it was made for; empty where nobody knows."""
    generation: str
    """The name of its collection."""
    bytes: int
    """That it takes on disk."""
    state: Literal["removable", "in use", "removed"] = "removable"

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {name: getattr(self, name) for name in ("kind", "set", "generation", "bytes", "state")}


@dataclass(frozen=True, slots=True)
class Collected:
    """What can go, or has gone."""

    found: tuple[Garbage, ...]
    applied: bool

    @property
    def bytes(self) -> int:
        """What is freed, or would be."""
        wanted = "removed" if self.applied else "removable"
        return sum(one.bytes for one in self.found if one.state == wanted)

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {"applied": self.applied, "bytes": self.bytes, "found": [one.to_dict() for one in self.found]}


def collect(sets: OpenSets, *, apply: bool = False) -> Collected:
    """What can go, and with `apply` its removal. What another process writes or has open stays for the next time.

    Raises HomeNotFound, HomeNotWritable.
    """
    found = [*_generations(sets, sets.state), *_unknown(sets)]
    return Collected(tuple(_tried(one, apply=apply) for one in found), apply)


def sweep(sets: OpenSets) -> int:
    """Clear away what is left of sets that were deleted and of migrations that were given up; how many generations.

    What cannot be cleared now, because a process uses it or its files resist, is left for the next time.
    """
    leftovers = [sets.state.generation(identity) for identity in sets.state.roster.leftovers()]
    gone = 0
    with suppress(HomeNotWritable):
        for one in leftovers:
            gone += _remove(sets, one, lambda: None)
    return gone


def _tried(found: tuple[Garbage, Callable[[], bool]], *, apply: bool) -> Garbage:
    garbage, remove = found
    if apply and garbage.state == "removable":
        return replace(garbage, state="removed" if remove() else "in use")
    return garbage


def _generations(sets: OpenSets, state: State) -> Iterator[tuple[Garbage, Callable[[], bool]]]:
    sizes: dict[str, dict[str, KeptCollection]] = {}
    for kind, identity, release in _released(state):
        generation = state.generation(identity)
        backend = generation.spec.store
        if backend not in sizes:
            sizes[backend] = dict(collections_in(backend, sets.folder.folder))
        size = sizes[backend].get(generation.name)
        found = Garbage(kind, generation.set_name, generation.name, size.bytes if size else 0, _use(sets, generation))
        yield found, partial(_remove, sets, generation, release)


def _released(state: State) -> Iterator[tuple[Kind, int, Callable[[], None]]]:
    """(kind, generation, what takes it away from its set)."""
    for identity in state.roster.leftovers():
        yield "leftover", identity, lambda: None
    for name, identity in state.roster.outdated(time.time()):
        yield "kept", identity, partial(state.moves.release, name, identity, time.time())
    for name in state.sets():
        migration = state.migrations.open(name)
        if migration and migration.state == "failed" and migration.updated + KEEP_SECONDS < time.time():
            yield "failed", migration.generation, partial(state.moves.abandon, migration, migration.reason)


def _unknown(sets: OpenSets) -> Iterator[tuple[Garbage, Callable[[], bool]]]:
    """Collections of the stores of this home that no generation has."""
    known = sets.state.collections()
    for backend in sorted({DEFAULT_STORE, *known.values()}):
        for name, kept in collections_in(backend, sets.folder.folder).items():
            if _OURS.fullmatch(name) and name not in known and kept.written + YOUNG_SECONDS < time.time():
                yield Garbage("unknown", "", name, kept.bytes), partial(_drop_unknown, sets, backend, name)


def _drop_unknown(sets: OpenSets, backend: str, name: str) -> bool:
    if name in sets.state.collections():  # it has got its row since
        return False
    try:
        remove_collection(backend, sets.folder.folder, name)
    except HomeNotWritable:
        raise
    except (HomeError, StoreError):
        return False
    return True


def _use(sets: OpenSets, generation: Generation) -> Literal["removable", "in use"]:
    try:
        with _alone(sets, generation):
            return "removable"
    except HomeNotWritable:  # by whoever may write it, or once there is room
        return "removable"
    except EmbassayError:
        return "in use"


def _remove(sets: OpenSets, generation: Generation, release: Callable[[], None]) -> bool:
    """Whether it was removed. Raises HomeNotWritable."""
    try:
        with _alone(sets, generation):
            release()
            with closing(sets.folder.store(generation, create=True)) as store:  # also over what is half removed
                store.drop()
            sets.state.roster.erase(generation.id)
        sets.folder.forget(generation)
    except HomeNotWritable:
        raise
    except (HomeError, StoreError):
        return False
    return True


@contextmanager
def _alone(sets: OpenSets, generation: Generation) -> Iterator[None]:
    """Keep writers out for the time of the block, and readers. Nobody can begin to read what belongs to a set that is
    gone, and whoever still does is told that it is. Raises SetInUse."""
    sets.let_go(generation)
    with (
        sets.folder.writing(generation, partial(_refuse, generation)),
        held_alone(sets.folder.lock_file(generation, "read")) as alone,
    ):
        if not alone and generation.set_name in sets.state.roster.names():
            _refuse(generation)
        yield


def _refuse(generation: Generation) -> None:
    raise SetInUse(f"another process uses generation {generation.name} of set {generation.set_name!r}.")
