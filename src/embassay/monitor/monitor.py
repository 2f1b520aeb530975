"""One set that is watched: the one place where signals are read and baselines are made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay import plugins
from embassay.errors import EmbassayError
from embassay.monitor.base import SIGNALS, Signal, SignalReading, WatchedSet, When
from embassay.monitor.searches import Searches

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.home import Home
    from embassay.sets.monitoring.table import BaselineRow
    from embassay.space import Space
    from embassay.types import Vectors


@dataclass(frozen=True, slots=True)
class NamedReading:
    """What one signal said."""

    signal: str
    title: str
    reading: SignalReading

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        one = self.reading
        return {
            "signal": self.signal,
            "subject": one.subject,
            "state": one.state,
            "value": one.value,
            "evidence": one.evidence,
            "remedy": one.remedy.in_shell(),
            "figures": dict(one.figures),
        }


class Monitor:
    """A set of a home. Threads may share it.

    >>> with embassay.open() as home:                        # doctest: +SKIP
    ...     for one in Monitor(home, "docs").read():
    ...         print(one.signal, one.reading.state, one.reading.evidence)
    """

    def __init__(self, home: Home, name: str, *, clock: Callable[[], float] = time.time) -> None:
        self.home, self.set, self._clock = home, home.set(name), clock
        self.config = home.session.config.monitor

    @property
    def space(self) -> Space:
        """Of the live generation. Raises SetNotFound."""
        return self.set.space()

    def read(self, when: Sequence[When] = ("often",)) -> list[NamedReading]:
        """What the signals say now, those that are read at these times. Raises SetNotFound, HomeError."""
        space, now = self.space, self._clock()
        searches = self.searches(space, self.config.window)
        baseline = self.home.monitoring.baseline(self.set.name, space.digest)
        found = []
        for name in plugins.names(SIGNALS):
            signal: Signal = plugins.load(SIGNALS, name)
            if signal.WHEN in when:
                watched = WatchedSet(
                    self.set,
                    space,
                    searches,
                    lambda: self.vectors(searches, space),
                    self.config,
                    now,
                    _known(baseline, name),
                )
                found += [NamedReading(name, signal.TITLE, one) for one in _read(signal, watched)]
        return found

    def searches(self, space: Space, newest: int = -1, since: float = 0.0) -> Searches:
        """The newest searches of the set in a space since a moment, in seconds since 1970; all where negative."""
        return Searches(**self.home.monitoring.marks(self.set.name, space.digest, since, newest))

    def vectors(self, searches: Searches, space: Space) -> tuple[npt.NDArray[np.int64], Vectors]:
        """The vectors of their queries that are kept: the `seq` of each, and rows (n, dimensions)."""
        return self.home.monitoring.vectors(self.set.name, space, int(searches.seq[0]) if len(searches) else 0)


def _known(baseline: BaselineRow | None, name: str) -> Mapping[str, object]:
    found = baseline.parts.get(name) if baseline else None
    return found if isinstance(found, Mapping) else {}


def _read(signal: Signal, watched: WatchedSet) -> Sequence[SignalReading]:
    try:
        return signal.read(watched)
    except EmbassayError as error:
        return [SignalReading("unknown", error.message, remedy=error.remedy)]
