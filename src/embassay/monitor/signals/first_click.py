"""How far down people find what they open: the rank of the first hit that was opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay import remedy
from embassay.monitor import change
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.searches import Searches

TITLE = "Rank of the first hit that is opened"
WHEN: When = "often"
FEWEST = 20
"""Searches with a click, now and in the baseline, below which nothing is said."""
DEEPEST = 20
"""Ranks further down count as this one."""
CERTAIN = 1e-4
"""Chance below which lower ones are no accident, and alert; a hundred times as much warns."""
WORTH = 0.1
"""How much more often than not a first click of now has to lie below one of the baseline."""


def learn(sample: BaselineSample) -> Mapping[str, object]:
    """How often each rank was the first that was opened."""
    ranks = _ranks(sample.searches)
    if len(ranks) < FEWEST:
        return {}
    return {"ranks": [int(count) for count in np.bincount(ranks, minlength=DEEPEST + 1)]}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """First clicks of the window against those of the baseline (Mann and Whitney's test, one-sided)."""
    from scipy.stats import mannwhitneyu

    now = _ranks(watched.searches)
    if not len(now):
        return [SignalReading("unknown", "No hit of the last searches was opened, as far as anybody noted.")]
    mean = float(watched.searches.first_click[watched.searches.first_click > 0].mean())
    said = f"The first hit that was opened had rank {mean:.1f} on average, in {len(now):,} searches"
    before = _known(watched.known)
    if len(now) < FEWEST or not len(before):
        few = f"{FEWEST} are needed" if len(now) < FEWEST else "the baseline has no clicks to hold them against"
        return [SignalReading("unknown", f"{said}; {few}.", mean)]
    found = mannwhitneyu(now, before, alternative="greater", method="asymptotic")
    below, chance = float(found.statistic) / (len(now) * len(before)), float(found.pvalue)
    state: State = "ok"
    if below > 0.5 + WORTH / 2 * watched.tolerance:
        state = change.state_of(chance, certain=CERTAIN, likely=100 * CERTAIN)
    usual = float(before.mean())
    look = remedy.command("monitor report", set=watched.set.name, say="See which queries fail: {}")
    figures = {"usual": usual, "below": below, "chance": chance}
    evidence = f"{said} ({usual:.1f} is usual)."
    return [SignalReading(state, evidence, mean, look, figures=figures)]


def _ranks(searches: Searches) -> npt.NDArray[np.int64]:
    first = searches.first_click
    ranks: npt.NDArray[np.int64] = np.minimum(first[first > 0], DEEPEST)
    return ranks


def _known(known: Mapping[str, object]) -> npt.NDArray[np.int64]:
    """The first clicks of the baseline; none where nobody wrote them down."""
    counts = known.get("ranks")
    if not isinstance(counts, list) or not all(isinstance(one, int) and one >= 0 for one in counts):
        return np.zeros(0, np.int64)
    return np.repeat(np.arange(len(counts)), counts)
