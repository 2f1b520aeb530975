"""What signals say of single searches, those signals that can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay import plugins
from embassay.errors import EmbassayError
from embassay.monitor.base import SIGNALS, WatchedSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.monitor.monitor import Monitor
    from embassay.monitor.searches import Searches
    from embassay.space import Space


@dataclass(frozen=True, slots=True, eq=False)
class FlaggedSearches:
    """What one signal says of each search."""

    title: str
    levels: npt.NDArray[np.int8]
    """0 for one that is as usual, more for one that is not, and less for one of which nothing can be said."""


def flagged_by_signals(monitor: Monitor, space: Space, searches: Searches, now: float) -> dict[str, FlaggedSearches]:
    """By its name, what each signal with ``levels`` says of these searches; one that cannot be asked is left out."""
    baseline = monitor.home.monitoring.baseline(monitor.set.name, space.digest)
    found = {}
    for name in plugins.names(SIGNALS):
        signal = plugins.load(SIGNALS, name)
        if not hasattr(signal, "levels"):
            continue
        known = baseline.parts.get(name, {}) if baseline else {}
        kept = lambda: monitor.vectors(searches, space)  # noqa: E731
        watched = WatchedSet(monitor.set, space, searches, kept, monitor.config, now, known)
        try:
            levels = signal.levels(watched)
        except EmbassayError:
            continue
        if levels is not None:
            found[name] = FlaggedSearches(signal.TITLE, levels)
    return found
