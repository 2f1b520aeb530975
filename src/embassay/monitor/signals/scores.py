"""The raw score of the best hit: is it distributed as it usually is?

A score is held against others of the same space alone. Equal queries count once, so that a question which one program
asks all day is one question. Lower scores alert; higher ones only warn, for nobody suffers from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.monitor import change
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.monitor.searches import distinct_rows
from embassay.monitor.steps import look_at_both
from embassay.monitor.usual import KEPT, usual

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.searches import Searches

TITLE = "Scores of the best hits"
WHEN: When = "often"
FEWEST = 30
"""Scores of a baseline, at least."""


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """The usual scores, of the newest queries."""
    found = _scores(sample.searches, sample.config.window)[-KEPT:]
    return {"scores": [round(float(score), 5) for score in np.sort(found)]} if len(found) >= FEWEST else {}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """The distribution in the window against the usual one."""
    now = _scores(watched.searches, len(watched.searches))[-change.MOST :]
    if not len(now):
        return [SignalReading("unknown", "No search of the window compared vectors, so none has a score to be held.")]
    if len(now) < change.FEWEST:
        said = f"The window has {len(now):,} different queries with a score, and {change.FEWEST} are needed."
        return [SignalReading("unknown", said)]
    held = usual(watched, learn)
    then = np.array(held.known.get("scores", ()), float)
    if len(then) < FEWEST:
        return [SignalReading("unknown", f"Fewer than {FEWEST} usual scores are known of this set.")]
    return [_reading(watched, then, now, held.words, held.note)]


def _reading(
    watched: WatchedSet, then: npt.NDArray[np.float64], now: npt.NDArray[np.float64], words: str, note: str
) -> SignalReading:
    distance, by_ks = change.ks_chance(then, now)
    index, common, by_psi = change.psi_chance(then, now)
    low = change.tail_chance(-then, -now)
    chance = change.together(low, by_ks, by_psi, weights=(0.5, 0.25, 0.25))
    before, median = float(np.median(then)), float(np.median(now))
    lower = median < before or low < change.CERTAIN
    state: State = change.state_of(chance, watched.tolerance)
    if state == "alert" and not lower:
        state = "warn"
    tenth = float(np.quantile(then, 0.1))
    share = float((now < tenth).mean())
    evidence = (
        f"The best hits of {len(now):,} different queries score {median:.3f} in the middle, against {before:.3f} of "
        f"{words}; {share:.0%} score below {tenth:.3f}, which 10 % usually do. PSI {index:.2f} (by chance up to "
        f"{common:.2f}), Kolmogorov-Smirnov {distance:.2f}.{note}"
    )
    figures = {
        "usual": before,
        "psi": index,
        "psi_by_chance": common,
        "ks": distance,
        "share_low": share,
        "chance": chance,
        "queries": len(now),
    }
    mend = look_at_both(watched.set.name)
    return SignalReading(state, evidence, median, mend, figures=figures, tolerated_at=change.tolerated_at(chance))


def _scores(searches: Searches, stretch: int) -> npt.NDArray[np.float64]:
    """Of the vectors' best hits, oldest first; of equal queries in a stretch of searches, one."""
    found: npt.NDArray[np.float64] = searches.dense[distinct_rows(searches.query, stretch)]
    return found[np.isfinite(found)]
