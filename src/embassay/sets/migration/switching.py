"""Switch and rollback: the set is pointed at another generation, in one compare-and-set, with nothing left behind.

Whoever switches holds the right to write both generations, brings what still differs, and only then changes the one row
that says which is live. Searches that began on the old one finish on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import MigrationState
from embassay.events import Noted
from embassay.sets.followers import bring_up, on_live, waiting_for_model
from embassay.sets.moves import ROLLED_BACK

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation

KEEP_SECONDS = 7 * 24 * 3600.0
"""How long the generation that was live is kept, so that one can go back."""


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

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "set": self.set,
            "from": {"generation": self.was.name, "space": str(self.was.space)},
            "to": {"generation": self.now.name, "space": str(self.now.space)},
            "brought": self.brought,
            "words_only": self.words_only,
            "seconds": round(self.seconds, 3),
        }


def switch(
    sets: OpenSets,
    name: str,
    *,
    keep_seconds: float = KEEP_SECONDS,
    force: bool = False,
    detail: Mapping[str, object] = MappingProxyType({}),
) -> Switched:
    """Make the generation that was built the live one. Raises MigrationState unless it is ready, or with `force`."""

    def target() -> int:
        migration = sets.state.migrations.open(name)
        if migration is None:
            raise MigrationState(
                f"set {name!r} has no generation to switch to.",
                remedy=remedy.command("migrate", name, to="MODEL", say="Build one"),
            )
        if migration.state != "ready" and not force:
            raise MigrationState(
                f"the migration of set {name!r} is {migration.state}"
                + (f" ({migration.reason})" if migration.reason else "")
                + "; only one that is ready is switched to.",
                remedy=remedy.command("migrate", name, resume=True, say="Go on with it"),
            )
        return migration.generation

    return on_live(lambda: _point(sets, name, target(), "switched", keep_seconds, detail))


def rollback(
    sets: OpenSets,
    name: str,
    *,
    keep_seconds: float = KEEP_SECONDS,
    detail: Mapping[str, object] = MappingProxyType({}),
) -> Switched:
    """Make the generation live again that was it before; the present one is kept in its place.

    Raises MigrationState where none is kept.
    """

    def target() -> int:
        previous = sets.state.set(name).previous
        if previous is None:
            raise MigrationState(f"set {name!r} has no generation that was live before.")
        return previous

    return on_live(lambda: _point(sets, name, target(), ROLLED_BACK, keep_seconds, detail))


def _point(
    sets: OpenSets, name: str, to: int, what: str, keep_seconds: float, detail: Mapping[str, object]
) -> Switched:
    started = time.monotonic()
    state = sets.writable_state()
    live, new = sets.live(name), state.generation(to)
    with _both(sets, live, new):
        brought = bring_up(sets, live, new)
        words_only = waiting_for_model(state, new)
        figures = {"from": str(live.space), "to": str(new.space), "brought": brought.origins, "words_only": words_only}
        state.moves.switch(
            name, live.id, new.id, what=what, keep_until=time.time() + keep_seconds, detail={**figures, **detail}
        )
    return Switched(name, live, new, brought.origins, words_only, time.monotonic() - started)


@contextmanager
def _both(sets: OpenSets, live: Generation, new: Generation) -> Iterator[None]:
    """The right to write both, in the order in which every writer takes them. Raises SetMoved."""
    with ExitStack() as stack:
        stack.enter_context(sets.writing(live))
        stack.enter_context(sets.folder.writing(new, partial(sets.events.tell, Noted("waiting for another process"))))
        yield
