"""The documents: are those still there that there were, and is it still them that is asked for?

Only a baseline knows which documents there were. Of many it keeps some, drawn by their digests, so that those of two
baselines are the same as far as they can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay import remedy
from embassay.errors import UsageError
from embassay.monitor import change
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.monitor.novelty import centroid_distance, distances, mmd, typical
from embassay.monitor.sampled import sample_set
from embassay.monitor.steps import make_baseline
from embassay.monitor.usual import usual_vectors, window_vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

TITLE = "Documents"
WHEN: When = "daily"
KEPT = 300
"""Documents that a baseline knows."""
DIGITS = 16
"""Of the digest of each."""
ALERT, WARN = 0.1, 0.02
"""Share of those that are gone."""
SAMPLE = 2_000
"""Chunks that queries are held against."""
EXAMPLES = 3


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """Which documents there are, and how many."""
    found = sample.set.sources()
    drawn = sorted(found.items(), key=lambda one: one[1])[:KEPT]
    return {"count": len(found), "documents": {path: digest[:DIGITS] for path, digest in drawn}}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """Which of the documents of the baseline are gone, and whether queries are further from documents than usual."""
    readings = [_gone(watched)]
    try:
        readings.append(_asked(watched))
    except UsageError as error:
        readings.append(SignalReading("unknown", error.message, remedy=error.remedy, subject="queries"))
    return readings


def _gone(watched: WatchedSet) -> SignalReading:
    known, name = watched.known.get("documents"), watched.set.name
    if not isinstance(known, Mapping) or not known:
        said = "Which documents there were is not known: a baseline is made of that."
        return SignalReading("unknown", said, remedy=make_baseline(name, "Make one"), subject="there")
    now = watched.set.sources()
    digests = {digest[:DIGITS] for digest in now.values()}
    other = [path for path, digest in known.items() if digest not in digests]
    gone = sum(path not in now for path in other)
    share, changed = gone / len(known), len(other) - gone
    worst = share / watched.tolerance
    state: State = "alert" if worst >= ALERT else "warn" if worst >= WARN else "ok"
    evidence = (
        f"{gone:,} of {len(known):,} documents that the baseline knows are gone ({share:.0%}), and {changed:,} have "
        f"another text. The set has {len(now):,} documents, and had {int(watched.known.get('count', 0)):,}."
    )
    look = remedy.command("log", name, say="See what was done to the set: {};")
    mend = look + make_baseline(name, "if they are to be gone, say what is good now")
    figures = {"gone": gone, "changed": changed, "known": len(known), "documents": len(now)}
    return SignalReading(state, evidence, share, mend, "there", figures, tolerated_at=share / ALERT + 1e-6)


def _asked(watched: WatchedSet) -> SignalReading:
    """Both kinds of queries are held against the documents of today, so that only what is asked can differ."""
    seq, now = window_vectors(watched)
    baseline, words, note = usual_vectors(watched)
    documents = sample_set(watched.set, SAMPLE).vectors
    if not len(documents):
        return SignalReading("unknown", "The set has no documents.", subject="queries")
    return _far(watched, seq, now, baseline, documents, words, note)


def _far(
    watched: WatchedSet,
    seq: npt.NDArray[np.int64],
    now: Vectors,
    baseline: Vectors,
    documents: Vectors,
    words: str,
    note: str,
) -> SignalReading:
    usual, far = distances(baseline, documents), distances(now, documents)
    chance = change.tail_chance(usual, far)
    state = change.state_of(chance, watched.tolerance)
    beyond = far > np.quantile(usual, 0.95)
    share = float(beyond.mean())
    evidence = (
        f"{int(beyond.sum()):,} of the last {len(now):,} different queries are further from the documents than 95 of "
        f"100 of {words} ({share:.0%}; 5% is usual).{note}"
    )
    figures = {
        "usual": 0.05,
        "centroid": centroid_distance(documents, now),
        "usual_centroid": centroid_distance(documents, baseline),
        "mmd": mmd(documents, now),
        "usual_mmd": mmd(documents, baseline),
        "chance": chance,
        "queries": len(now),
    }
    if state == "ok":
        return SignalReading(state, evidence, share, subject="queries", figures=figures)
    name, shown = watched.set.name, np.flatnonzero(beyond)
    examples = tuple(int(seq[shown[at]]) for at in typical(now[shown], EXAMPLES))
    mend = remedy.command("queries list", set=name, say="See what is asked for that nobody wrote: {}")
    tolerated = change.tolerated_at(chance)
    return SignalReading(state, evidence, share, mend, "queries", figures, examples, tolerated)
