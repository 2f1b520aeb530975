"""What signals say of single searches, those signals that can."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from embassay import plugins
from embassay.errors import EmbassayError
from embassay.monitor.base import SIGNALS

if TYPE_CHECKING:
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

    @property
    def bad(self) -> npt.NDArray[np.bool_]:
        """Which searches are not as usual."""
        return np.asarray(self.levels > 0)


def flagged_by_signals(monitor: Monitor, space: Space, searches: Searches) -> dict[str, FlaggedSearches]:
    """By its name, what each signal with ``levels`` says of these searches; one that cannot be asked is left out."""
    watched = replace(monitor.watched(space, searches), before=lambda: None)  # they are all that there are
    found = {}
    for name in plugins.names(SIGNALS):
        signal = plugins.load(SIGNALS, name)
        if not hasattr(signal, "levels"):
            continue
        with suppress(EmbassayError):
            levels = signal.levels(watched.given(name))
            if levels is not None:
                found[name] = FlaggedSearches(signal.TITLE, levels)
    return found
