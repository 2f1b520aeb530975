"""The contract of a signal: what it is given of a set that is watched, and what it says.

A signal is a module of `monitor/signals/` with ``TITLE``, ``WHEN`` and ``read(watched)``; one that has to know what is
good has ``learn(sample)`` too, whose result it is handed back as ``watched.known``; one that can say of each single
search whether it is bad has ``levels(watched)``, which reports count. A file is its own registration, and an entry
point of the group ``embassay.signals`` joins from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from embassay.remedy import NOTHING, Remedy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.config.values import MonitorConfig
    from embassay.embedding_set import EmbeddingSet
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.monitor.sampling import JudgedSearches
    from embassay.monitor.searches import Searches
    from embassay.sets.monitoring.table import BaselineRow
    from embassay.space import Space
    from embassay.types import Vectors

SIGNALS = "embassay.monitor.signals"
"""The package whose modules are the signals."""
MOST = 2_000
"""Searches that a baseline is made of, the newest of the log."""
FEWEST = 50
"""Searches of which it is made at least."""
State = Literal["ok", "warn", "alert", "unknown"]
"""``unknown``: it cannot be told, for a reason that the evidence says."""
WORST_FIRST: tuple[State, ...] = ("alert", "warn", "ok", "unknown")
"""In which states are told: first what somebody has to do something about."""
When = Literal["often", "daily"]
"""``often``: it reads the query log, and costs next to nothing. ``daily``: it asks models or searches."""


@dataclass(frozen=True, slots=True)
class SignalReading:
    """What a signal says of a set."""

    state: State
    evidence: str
    """Plain sentences with the figures: ``62 of the last 200 searches found nothing (31 %; usual: 4 %).``"""
    value: float | None = None
    """The figure that is watched over time; None where there is none."""
    remedy: Remedy = NOTHING
    """The next step: the command that would tell more, or mend it. Where all is well nobody is told it."""
    subject: str = ""
    """What it is about, where a signal has several readings: a role, a document."""
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """Other figures, for JSON and charts; ``usual``: what the value is held against."""
    examples: Sequence[int] = ()
    """The `seq` of searches that show it. Their texts stand nowhere else than in the log, and go when it goes."""
    tolerated_at: float | None = None
    """The least `WatchedSet.tolerance` at which this would be no alert, for whoever calls it false. Where a signal does
    not say, one that is read ``often`` is read again with more and more, and one that is read ``daily`` gets half more.
    """
    texts: Sequence[str] = ()
    """Judged queries that show it: they are told with the reading, and not kept with its evidence."""


@dataclass(frozen=True, slots=True)
class NamedReading:
    """What one signal said."""

    signal: str
    title: str
    reading: SignalReading
    examples: Sequence[str] = ()
    """Texts that show it: those of its searches that are in the log now, and judged queries."""

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
            "examples": [*self.examples],
        }


@dataclass(frozen=True, slots=True)
class WatchedSet:
    """One set in its live space, and what is known of it."""

    set: EmbeddingSet
    space: Space
    searches: Searches
    """The window: the newest searches, oldest first."""
    vectors: Callable[[], tuple[npt.NDArray[np.int64], Vectors]]
    """The vectors of the window's queries that are kept: the `seq` of each, and rows (n, dimensions) in the space."""
    config: MonitorConfig
    now: float
    """Seconds since 1970."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What `learn` of this signal wrote down; empty where there is no baseline."""
    tolerance: float = 1.0
    """Grows with each alert of this signal that somebody called false: multiply what is usual with it."""
    baseline: BaselineRow | None = None
    """The one that was made in this space."""
    other_space: bool = False
    """A baseline was made, and none of them in this space."""
    before: Callable[[], BaselineSample | None] = lambda: None
    """Searches that came before the window, for a set without a baseline; None where they are too few."""
    judged: Callable[[], JudgedSearches | None] = lambda: None
    """Ask a chat model about some searches, and what it said of them so far; None where that is off."""

    def given(self, signal: str, tolerance: float = 1.0) -> Self:
        """The same as one signal is given it: with what it wrote down, and what it tolerates."""
        found = self.baseline.parts.get(signal) if self.baseline else None
        return replace(self, known=found if isinstance(found, Mapping) else {}, tolerance=tolerance)


@dataclass(frozen=True, slots=True)
class BaselineSample:
    """What a baseline is made of: searches that were good, and judged queries where there are some."""

    set: EmbeddingSet
    space: Space
    searches: Searches
    """From the log, or of the judged queries, oldest first."""
    vectors: Vectors
    """Of queries (n, dimensions)."""
    judged: JudgedSet | None
    config: MonitorConfig


class Signal(Protocol):
    """A module of `monitor/signals/`. Optional are ``learn(sample) -> Mapping`` of what JSON can hold, and
    ``levels(watched)``: of each search of the window 0 where it is as usual, more where it is not, less where nothing
    can be said; None where nothing can be said of any."""

    TITLE: str
    """In a few words, for people: ``Searches that found nothing``."""
    WHEN: When
    """One that has a ``UNIT``, ``share`` or ``ms``, has its values written so; others are plain numbers."""

    def read(self, watched: WatchedSet) -> Sequence[SignalReading]:
        """What it says; one that is read ``often`` is given a search at least. Raises EmbassayError where it cannot be
        read, which becomes an ``unknown`` reading."""
