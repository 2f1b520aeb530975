"""One set that is watched: the one place where signals are read and baselines are made."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from embassay import plugins
from embassay.errors import EmbassayError, SetNotFound
from embassay.monitor.alerts import CheckedSet, keep_check
from embassay.monitor.base import (
    FEWEST,
    MOST,
    SIGNALS,
    BaselineSample,
    NamedReading,
    Signal,
    SignalReading,
    WatchedSet,
    When,
)
from embassay.monitor.sampling import judge_some
from embassay.monitor.searches import Searches, distinct_rows
from embassay.remedy import NOTHING

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.home import Home
    from embassay.sets.monitoring.alerts import Alert
    from embassay.space import Space
    from embassay.types import Vectors

MARGIN = 1.25
"""By how much more than what was no alarm is tolerated: a figure that stays the same goes up and down a little."""
STEP, MOST_STEPS = 1.5, 12
"""How a tolerance grows, and how often at once, where a signal does not say what it takes."""
AHEAD = 3_600.0
"""Seconds by which the clocks of those who search one home may differ."""
BEFORE = 500
"""Searches before a window that stand for a baseline where none was made."""


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

    @property
    def is_told(self) -> bool:
        """Whether somebody is told of alerts besides the log: a webhook is configured."""
        return bool(self.config.webhook)

    def read(self, when: Sequence[When] = ("often",)) -> list[NamedReading]:
        """What the signals say now, those that are read at these times. Raises SetNotFound, HomeError."""
        return self._read(self._watched(), when)

    def check(self, when: Sequence[When] = ("often",)) -> CheckedSet:
        """Read the signals, write down what they said, and open, keep and end alerts by it. A home that cannot be
        written is no error. Raises SetNotFound, HomeError."""
        watched = self._watched()
        found = self._read(watched, when)
        return keep_check(self.home.monitoring, watched, found, self.signals(when), notify=self.is_told)

    def dismiss(self, alert: int, why: str = "") -> Alert:
        """End an alert of this set that was false. Its signal tolerates more from then on: what it takes for the same
        figure to be no alarm, and a quarter more. Raises UsageError, SetNotFound, HomeError."""
        tables = self.home.monitoring
        found = tables.alert(alert)
        tolerance = tables.tolerances(found.set_name, found.space).get(found.signal, 1.0)
        if found.tolerated_at is not None:
            tolerance = max(tolerance, found.tolerated_at)
        else:
            tolerance = self._enough(found, tolerance * STEP)
        reason = why or "It was no alarm."
        return tables.dismiss(alert, self._clock(), reason, tolerance * MARGIN, notify=self.is_told)

    def signals(self, when: Sequence[When]) -> list[str]:
        """Names of the signals that are read at these times."""
        return [name for name in plugins.names(SIGNALS) if plugins.load(SIGNALS, name).WHEN in when]

    def _enough(self, alert: Alert, tolerance: float) -> float:
        """The tolerance at which the signal of an alert does not alert of the searches that there are now."""
        watched = self._watched()
        if alert.space != watched.space.digest or alert.signal not in self.signals(("often",)):
            return tolerance
        signal = plugins.load(SIGNALS, alert.signal)
        for _ in range(MOST_STEPS):
            found = read_signal(signal, watched.given(alert.signal, tolerance))
            if not any(one.state == "alert" and one.subject == alert.subject for one in found):
                break
            tolerance *= STEP
        return tolerance

    def _read(self, watched: WatchedSet, when: Sequence[When]) -> list[NamedReading]:
        tolerances = self.home.monitoring.tolerances(self.set.name, watched.space.digest)
        found = []
        for name in self.signals(when):
            signal: Signal = plugins.load(SIGNALS, name)
            for reading in read_signal(signal, watched.given(name, tolerances.get(name, 1.0))):
                kept = self.home.query_log.texts(reading.examples) if reading.examples else {}
                texts = [one.query for one in kept.values() if one.form == "kept"]
                found.append(NamedReading(name, signal.TITLE, reading, [*texts, *reading.texts]))
        return found

    def _watched(self) -> WatchedSet:
        space = self.space
        return self.watched(space, self._newest(space, self.config.window))

    def watched(self, space: Space, searches: Searches) -> WatchedSet:
        """The set with these searches as its window. Raises HomeError."""
        tables = self.home.monitoring
        baseline = tables.baseline(self.set.name, space.digest)
        return WatchedSet(
            self.set,
            space,
            searches,
            lambda: self.vectors(searches, space),
            self.config,
            self._clock(),
            baseline=baseline,
            other_space=baseline is None and bool(tables.baseline_spaces(self.set.name)),
            before=cache(lambda: self._before(searches, space)),
            judged=lambda: judge_some(self.home, self.set, space, self._clock()),
        )

    def _newest(self, space: Space, count: int) -> Searches:
        """Without those that a clock which was wrong dated into the future: they would be the newest for ever."""
        return self.searches(space, count, until=self._clock() + AHEAD)

    def _before(self, window: Searches, space: Space) -> BaselineSample | None:
        """The oldest of the newest searches that are not in the window; None where they are too few."""
        searches = self._newest(space, MOST + len(window))
        searches = searches.within(~np.isin(searches.seq, window.seq)).within(slice(BEFORE))
        return self.sample(searches, space) if len(searches) >= FEWEST else None

    def sample(self, searches: Searches, space: Space) -> BaselineSample:
        """Searches as a baseline is made of them, with the vectors that are kept: of equal queries in a stretch as long
        as a window one."""
        seq, vectors = self.vectors(searches, space)
        rows = distinct_rows(searches.queries_of(seq), self.config.window)
        rows = rows[np.isfinite(vectors[rows]).all(1)]
        return BaselineSample(self.set, space, searches, np.asarray(vectors[rows]), None, self.config)

    def searches(self, space: Space, newest: int = -1, since: float = 0.0, until: float = math.inf) -> Searches:
        """The newest searches of the set in a space between two moments, in seconds since 1970; all where `newest` is
        negative."""
        return Searches(**self.home.monitoring.marks(self.set.name, space.digest, since, newest, until))

    def vectors(self, searches: Searches, space: Space) -> tuple[npt.NDArray[np.int64], Vectors]:
        """The vectors of their queries that are kept: the `seq` of each, and rows (n, dimensions)."""
        ends = (int(searches.seq.min()), int(searches.seq.max())) if len(searches) else (0, 0)  # in no order of time
        seq, rows = self.home.monitoring.vectors(self.set.name, space, *ends)
        of_these = np.isin(seq, searches.seq)
        return seq[of_these], rows[of_these]


def read_signal(signal: Signal, watched: WatchedSet) -> Sequence[SignalReading]:
    """What one signal says, as everybody is told it: where it cannot be read that is ``unknown``, and where all is well
    there is nothing to do."""
    if signal.WHEN == "often" and not len(watched.searches):
        return [SignalReading("unknown", "No search is in the log yet.")]
    try:
        found = signal.read(watched)
    except EmbassayError as error:
        return [SignalReading("unknown", error.message, remedy=error.remedy)]
    return [replace(one, remedy=NOTHING) if one.state == "ok" else one for one in found]


def check_all(home: Home, when: Sequence[When] = ("often",), name: str | None = None) -> list[CheckedSet]:
    """Check one set, or all that there are; one that is deleted meanwhile is passed over.

    Raises SetNotFound for one that is named, HomeError.
    """
    if name is not None:
        return [Monitor(home, name).check(when)]
    found = []
    for one in home.sets():
        with suppress(SetNotFound):
            found.append(Monitor(home, one).check(when))
    return found
