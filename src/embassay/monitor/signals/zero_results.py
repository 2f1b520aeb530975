"""Searches that found nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embassay import remedy
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When

TITLE = "Searches that found nothing"
WHEN: When = "often"
CERTAIN = 1e-4
"""Chance below which more of them than usual are no accident."""
USUAL = 0.01
"""Share of them where nobody has said what is usual."""


def learn(sample: BaselineSample) -> Mapping[str, float]:
    """The share that is usual."""
    empty = int((sample.searches.hits == 0).sum())
    return {"share": (empty + 1) / (len(sample.searches) + 2)}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """The share of them in the window, held against the usual one by a binomial test."""
    from scipy.stats import binom

    searches = len(watched.searches)
    if not searches:
        return [SignalReading("unknown", "No search is in the log yet.")]
    usual = min(0.5, max(USUAL, float(watched.known.get("share", 0.0))) * watched.tolerance)
    empty = int((watched.searches.hits == 0).sum())
    share = empty / searches
    chance = float(binom.sf(empty - 1, searches, usual)) if empty else 1.0
    state: State = "alert" if chance < CERTAIN else "warn" if chance < 100 * CERTAIN else "ok"
    said = f"{empty:,} of the last {searches:,} searches found nothing ({share:.1%}; {usual:.1%} is usual)."
    mend = remedy.command("doctor", set=watched.set.name, say="Look whether documents are gone: {}")
    return [SignalReading(state, said, share, remedy.NOTHING if state == "ok" else mend, figures={"usual": usual})]
