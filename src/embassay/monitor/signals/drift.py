"""What is asked for: are the vectors of the queries those that there usually are?

Two questions are put to them. Are there queries unlike all of the baseline, which is a new topic? And is the mix of
topics another, though each is known? Equal queries count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay import remedy
from embassay.monitor import change
from embassay.monitor.base import SignalReading, WatchedSet, When
from embassay.monitor.novelty import BEYOND, centroid_distance, mmd_chance, novelty, typical
from embassay.monitor.usual import usual_vectors, window_vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

TITLE = "Topics of the queries"
UNIT = "share"
WHEN: When = "often"
EXAMPLES = 3


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """The queries of the window against those of the baseline."""
    seq, now = window_vectors(watched)
    baseline, words, note = usual_vectors(watched)
    return [_reading(watched, seq, baseline, now, words, note)]


def _reading(
    watched: WatchedSet, seq: npt.NDArray[np.int64], baseline: Vectors, now: Vectors, words: str, note: str
) -> SignalReading:
    far = novelty(baseline, now)
    new, by_new = far.new, far.chance
    share = float(new.mean())
    sure = change.state_of(change.together(by_new, 1.0), watched.tolerance) == "alert"
    mmd, by_mix = (None, 1.0) if sure else mmd_chance(baseline, now)  # what is certain needs no 20,000 permutations
    chance = change.together(by_new, by_mix)
    state = change.state_of(chance, watched.tolerance)
    evidence = (
        f"{int(new.sum()):,} of the last {len(now):,} different queries are unlike those of {words} "
        f"({share:.0%}; {1 - BEYOND:.0%} is usual)."
    )
    if state != "ok" and by_mix < by_new:
        evidence += " The mix of topics is another."
    figures = {
        "usual": round(1 - BEYOND, 4),
        "centroid": centroid_distance(baseline, now),
        "mmd": mmd,
        "chance_new": by_new,
        "chance_mix": None if sure else by_mix,
        "chance": chance,
        "queries": len(now),
        "baseline": len(baseline),
    }
    if state == "ok":
        return SignalReading(state, evidence + note, share, figures=figures)
    shown = np.flatnonzero(new) if new.any() else np.arange(len(now))
    examples = tuple(int(seq[shown[at]]) for at in typical(now[shown], EXAMPLES))
    mend = _look(watched.set.name)
    return SignalReading(
        state,
        evidence + note,
        share,
        mend,
        figures=figures,
        tolerated_at=change.tolerated_at(chance),
        examples=examples,
    )


def _look(name: str) -> remedy.Remedy:
    return remedy.command("queries list", set=name, say="See what is asked for: {};") + remedy.command(
        "judge label", "JUDGED", name, f"{name}@hybrid", from_log=name, say="judge whether it is found: {}"
    )
