"""Searches that score low: they look as searches do whose answer is not there.

What is low is calibrated for the set in its space, see `embassay.monitor.thresholds`, unless the configuration names
raw scores. Equal queries count once: a question that one program asks all day is one question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from embassay.errors import UsageError
from embassay.monitor import change
from embassay.monitor.base import BaselineSample, SignalReading, WatchedSet, When
from embassay.monitor.steps import look_at_both, make_baseline
from embassay.monitor.thresholds import UNTOLD, Thresholds, calibrate, fixed
from embassay.monitor.twins import different, figures_of, judged_twins, logged_twins
from embassay.monitor.usual import usual

if TYPE_CHECKING:
    from embassay.config.values import MonitorConfig
    from embassay.embedding_set import EmbeddingSet
    from embassay.monitor.thresholds import Levels, ScoreScale, SearchFigures

TITLE = "Searches that score low"
UNIT = "share"
WHEN: When = "often"
WORTH = 1.5
"""Times as many as usual that are worth a word: in a large window less would be certain, too."""
NOISE = 0.01
"""Share of good searches that are no nearer than questions about other things. Of ten lists of real queries 0.2 %
were (see `embassay.search.answered`)."""
UNSEEN = " There is no baseline: only what is no nearer than questions about other things counts as low."
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
    made = made or calibrate(*logged_twins(sample.searches, sample.config.window), "searches") or _foreign(sample.set)
    return made.to_dict() if made else {}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """How many different queries of the window score low, held against how many usually do."""
    thresholds, note = _thresholds(watched)
    if thresholds is None:
        said = "What a low score is of this set is not known yet."
        return [SignalReading("unknown", said, remedy=make_baseline(watched.set.name, "Write down what is good"))]
    found = thresholds.levels(figures_of(watched.searches).chosen(different(watched.searches)))
    told = found[found != UNTOLD]
    if not len(told):
        return [SignalReading("unknown", "No search of the window compared vectors, so none has a score to look at.")]
    return [_reading(watched, thresholds, told, note)]


def levels(watched: WatchedSet) -> Levels | None:
    """Of each search of the window: 1 for a low one, 2 for a very low one, `UNTOLD` where it cannot be told."""
    thresholds, _ = _thresholds(watched)
    return thresholds.levels(figures_of(watched.searches)) if thresholds else None


def _thresholds(watched: WatchedSet) -> tuple[Thresholds | None, str]:
    """Those that somebody wants, else those of the baseline or of the searches before the window, else what is known
    without any; and a sentence on that for the end of the evidence, or nothing."""
    wanted = _configured(watched.config)
    known = Thresholds.read(watched.known) if watched.known else None
    if wanted:
        same = known and known.source == "configuration" and known.same_levels(wanted)
        return (known if same else wanted), ""
    if known:
        return known, ""
    try:
        before = usual(watched, learn)
    except UsageError:
        return _foreign(watched.set), UNSEEN
    return Thresholds.read(before.known), before.note


def _reading(watched: WatchedSet, thresholds: Thresholds, levels: Levels, note: str) -> SignalReading:
    scale, tolerance = thresholds.best, watched.tolerance
    expected = scale.below_warn * tolerance / (scale.good + 1)
    chance = chance_of(scale, levels, tolerance)
    state = change.state_of(chance)
    queries, low, very_low = counts_of(levels)
    share = low / queries
    evidence = (
        f"{low:,} of the last {queries:,} different queries score low, {very_low:,} of them very low "
        f"({share:.1%}; {expected:.1%} is usual)."
    )
    missing = _unanswered(scale, share, expected)
    if state != "ok" and missing is not None:
        evidence += f" So many do where about {missing:.0%} of the questions have no answer here."
    evidence += note
    counts: dict[str, float | None] = {"low": low, "very_low": very_low, "queries": queries, "usual": expected}
    figures = counts | {"chance": chance, "warn": scale.warn, "alert": scale.alert, "unanswered": missing}
    return SignalReading(state, evidence, share, look_at_both(watched.set.name), figures=figures)


def counts_of(levels: Levels) -> tuple[int, int, int]:
    """How many searches there are, how many of them are low, and how many very low."""
    return len(levels), int((levels >= 1).sum()), int((levels >= 2).sum())


def chance_of(scale: ScoreScale, levels: Levels, tolerance: float = 1.0) -> float:
    """How often by chance so many of these searches would be low, or so many very low, while all is as usual.

    1 where there are hardly more than usual: in a large window they would be certain, and worth nothing."""
    queries, low, very_low = counts_of(levels)
    chances = [
        scale.chance(count, queries, expected * tolerance)
        for count, expected in ((low, scale.below_warn), (very_low, scale.below_alert))
        if count / queries >= WORTH * expected * tolerance / (scale.good + 1)
    ]
    return min(1.0, 2 * min(chances, default=1.0))  # any of two tests


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
