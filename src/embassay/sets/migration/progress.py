"""How far a migration is: what its workers embedded and how long they took, and how fast they are lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from embassay.errors import HomeError

if TYPE_CHECKING:
    from embassay.events import WorkAdvanced
    from embassay.sets.migration.table import Migration, Migrations

NOTE_SECONDS = 1.0
"""How often a worker writes down how far it is."""
WINDOW_SECONDS = 20.0
"""The time over which its rate is taken: long enough for a mean, short enough to follow the machine."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done for a migration, by all its workers."""

    embedded: int = 0
    """Texts that were embedded, or found in the cache."""
    seconds: float = 0.0
    """How long workers were at it."""
    rate: float = 0.0
    """Texts a second lately."""

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Progress:
        """What `to_dict` made, that of earlier versions included."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})

    def to_dict(self) -> dict[str, object]:
        """As it is stored."""
        return asdict(self)


class Tracker:
    """Writes down how far one worker is, on top of what those before it did. It hears of it as a listener to events."""

    def __init__(
        self, migrations: Migrations, migration: Migration, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._migrations, self._migration, self._clock = migrations, migration, clock
        self._before = Progress.from_dict(migration.progress)
        self._begun = self._noted = clock()
        self._earlier = self._texts = 0
        self._lately = deque([(self._begun, 0)])

    def __call__(self, event: WorkAdvanced) -> None:
        """The worker has come further in the piece of work that it is at."""
        now = self._clock()
        self._texts = event.texts
        self._lately.append((now, self._earlier + event.texts))
        while len(self._lately) > 2 and now - self._lately[0][0] > WINDOW_SECONDS:
            self._lately.popleft()
        if now - self._noted >= NOTE_SECONDS:
            self.note()

    def next_piece(self) -> None:
        """Another piece of work begins, whose texts are counted from nothing."""
        self._earlier, self._texts = self._earlier + self._texts, 0

    def note(self) -> None:
        """Write it down. A disk that is busy or full stops the work itself, which says so."""
        self._noted = self._clock()
        with suppress(HomeError):
            self._migrations.note_progress(self._migration, self.reached.to_dict())

    @property
    def reached(self) -> Progress:
        """How far all workers came together."""
        (first, then), (last, now) = self._lately[0], self._lately[-1]
        rate = (now - then) / (last - first) if last > first else 0.0
        took = self._clock() - self._begun
        embedded = self._before.embedded + self._earlier + self._texts
        return Progress(embedded, self._before.seconds + took, rate or self._before.rate)
