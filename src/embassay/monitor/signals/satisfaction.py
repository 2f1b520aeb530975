"""Searches that left people without what they looked for, by what they did with the hits and said of them."""

from __future__ import annotations

from collections.abc import Sequence

from embassay import remedy
from embassay.monitor import change
from embassay.monitor.base import SignalReading, State, WatchedSet, When

TITLE = "Searches that satisfied"
UNIT = "share"
WHEN: When = "often"
CERTAIN = 1e-3
"""Chance below which too few of them are no accident, where as many as are wanted would be; ten times as much warns."""


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """The share of satisfied searches among those with feedback, held against the share that is wanted."""
    from scipy.stats import binom

    searches, wanted = watched.searches, watched.config.satisfied
    given, satisfied = int((searches.feedback > 0).sum()), int((searches.satisfied > 0).sum())
    if not given:
        said = "Nobody said anything of the last searches: no hit was opened, and no thumb went up or down."
        tell = remedy.command("feedback", last=True, clicked=1, say="Note what was opened: {}")
        return [SignalReading("unknown", said, remedy=tell)]
    tolerated = max(0.0, 1 - (1 - wanted) * watched.tolerance)
    share, chance = satisfied / given, float(binom.cdf(satisfied, given, tolerated))
    state: State = "ok"
    if share < tolerated:
        state = change.state_of(chance, certain=CERTAIN, likely=10 * CERTAIN)
    evidence = (
        f"{satisfied:,} of {given:,} searches with feedback were satisfied ({share:.0%}; {wanted:.0%} is wanted)."
    )
    if state == "ok" and share < tolerated:
        evidence += " That is too few searches to tell it from chance."
    look = remedy.command("monitor report", set=watched.set.name, say="See which queries fail: {}")
    figures = {"with_feedback": given, "satisfied": satisfied, "wanted": wanted, "chance": chance}
    return [SignalReading(state, evidence, share, look, figures=figures)]
