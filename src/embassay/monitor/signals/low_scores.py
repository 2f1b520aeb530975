"""Searches that score low: they look as searches do whose answer is not there.

What is low is calibrated for the set in its space, see `embassay.monitor.thresholds`, unless the configuration names
raw scores. Equal queries count once: a question that one program asks all day is one question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.monitor.base import BaselineSample, SignalReading, State, WatchedSet, When
from embassay.monitor.thresholds import Thresholds, calibrate, fixed
from embassay.monitor.twins import different, figures_of, judged_twins, logged_twins

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.config.values import MonitorConfig
    from embassay.embedding_set import EmbeddingSet
    from embassay.monitor.thresholds import ScoreScale, SearchFigures

TITLE = "Searches that score low"
WHEN: When = "often"
CERTAIN = 1e-4
"""Chance below which more low searches than usual are no accident, and alert; a hundred times as much warns."""
WORTH = 1.5
"""Times as many as usual that are worth a word: in a large window less would be certain, too."""
NOISE = 0.01
"""Share of good searches that are no nearer than questions about other things. Of ten lists of real queries 0.2 %
were (see `embassay.search.answered`)."""
TELLS = 0.1
"""More of the searches without an answer than of the others have to be low, so that their share can be estimated."""


def learn(sample: BaselineSample) -> Mapping[str, Any]:
    """Thresholds: of judged queries where there are enough, else of logged searches, else of questions about other
    things. Raises SetNotFound, ModelError, ProviderError, StoreError."""
    wanted = _configured(sample.config, figures_of(sample.searches).chosen(different(sample.searches)))
    if wanted:
        return wanted.to_dict()
    made = None
    if sample.judged is not None:
        made = calibrate(*judged_twins(sample.set, sample.judged), "judged")
    made = made or calibrate(*logged_twins(sample.searches), "searches") or _foreign(sample.set)
    return made.to_dict() if made else {}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """How many different queries of the window score low, held against how many usually do."""
    if not len(watched.searches):
        return [SignalReading("unknown", "No search is in the log yet.")]
    thresholds = _thresholds(watched)
    if thresholds is None:
        said = "What a low score is of this set is not known yet."
        return [SignalReading("unknown", said, remedy=_make_baseline(watched.set.name))]
    levels = thresholds.levels(figures_of(watched.searches).chosen(different(watched.searches)))
    told = levels[levels >= 0]
    if not len(told):
        return [SignalReading("unknown", "No search of the window compared vectors, so none has a score to be held.")]
    return [_reading(watched, thresholds, len(told), int((told >= 1).sum()), int((told >= 2).sum()))]


def levels(watched: WatchedSet) -> npt.NDArray[np.int8] | None:
    """Of each search of the window: 1 for a low one, 2 for a very low one, -1 where it cannot be told."""
    thresholds = _thresholds(watched)
    return thresholds.levels(figures_of(watched.searches)) if thresholds else None


def _thresholds(watched: WatchedSet) -> Thresholds | None:
    """Those that somebody wants, else those of the baseline, else what is known without one."""
    wanted = _configured(watched.config)
    known = Thresholds.read(watched.known) if watched.known else None
    if wanted and not (known and known.source == "configuration" and known.same_levels(wanted)):
        known = wanted
    return known or _foreign(watched.set)


def _reading(watched: WatchedSet, thresholds: Thresholds, queries: int, low: int, very_low: int) -> SignalReading:
    scale, tolerance = thresholds.best, watched.tolerance
    usual = scale.below_warn * tolerance / (scale.good + 1)
    state = _state(scale, queries, low, very_low, tolerance)
    share = low / queries
    evidence = (
        f"{low:,} of the last {queries:,} different queries score low, {very_low:,} of them very low "
        f"({share:.1%}; {usual:.1%} is usual)."
    )
    missing = _unanswered(scale, share, usual)
    if state != "ok" and missing is not None:
        evidence += f" So many do where about {missing:.0%} of the questions have no answer here."
    if watched.known.get("source") is None and thresholds.source == "foreign":
        evidence += " There is no baseline: only what is no nearer than questions about other things counts as low."
    counts: dict[str, float | None] = {"low": low, "very_low": very_low, "queries": queries, "usual": usual}
    figures = counts | {"warn": scale.warn, "alert": scale.alert, "unanswered": missing}
    mend = remedy.NOTHING if state == "ok" else _look(watched.set.name)
    return SignalReading(state, evidence, share, mend, figures=figures)


def _state(scale: ScoreScale, queries: int, low: int, very_low: int, tolerance: float) -> State:
    """Whether there are more than chance explains, of low searches or of very low ones."""
    chances = [
        scale.chance(count, queries, expected * tolerance)
        for count, expected in ((low, scale.below_warn), (very_low, scale.below_alert))
        if count / queries >= WORTH * expected * tolerance / (scale.good + 1)
    ]
    chance = min(chances, default=1.0)
    return "alert" if chance < CERTAIN else "warn" if chance < 100 * CERTAIN else "ok"


def _unanswered(scale: ScoreScale, share: float, usual: float) -> float | None:
    """The share of questions without an answer that explains the share of low scores; None where it cannot be told."""
    if scale.caught is None or scale.caught - usual < TELLS:
        return None
    return min(1.0, max(0.0, (share - usual) / (scale.caught - usual)))


def _configured(config: MonitorConfig, seen: SearchFigures | None = None) -> Thresholds | None:
    """The thresholds that somebody wants; of a single one the other is the same."""
    warn, alert = config.low_score_warn, config.low_score_alert
    if warn is None and alert is None:
        return None
    low = alert if warn is None else warn
    assert low is not None
    return fixed(low, low if alert is None else min(low, alert), "configuration", seen)


def _foreign(of: EmbeddingSet) -> Thresholds | None:
    """What is known of a set without any baseline: how near questions come that have nothing to do with it."""
    with of.searcher() as index, ExitStack() as held:
        found = index.calibrations(index.snapshots(held)).get(of.name)
    if found is None or not found.tells:
        return None
    return fixed(found.least, found.least, "foreign", usual=(NOISE, NOISE))


def _make_baseline(name: str) -> remedy.Remedy:
    return remedy.command("monitor baseline", judged="DIR", set=name, say="Write down what is good: {}")


def _look(name: str) -> remedy.Remedy:
    return remedy.command("doctor", set=name, say="Look whether documents are gone: {}") + remedy.command(
        "queries list", set=name, say="See what is asked for: {}"
    )
