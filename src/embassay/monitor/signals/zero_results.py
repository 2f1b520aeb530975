"""Searches that found nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from embassay.errors import UsageError
from embassay.monitor import change
from embassay.monitor.base import BaselineSample, SignalReading, WatchedSet, When
from embassay.monitor.searches import distinct_rows
from embassay.monitor.steps import look_for_gone
from embassay.monitor.usual import usual

if TYPE_CHECKING:
    from embassay.monitor.searches import Searches

TITLE = "Searches that found nothing"
UNIT = "share"
WHEN: When = "often"
USUAL = 0.01
"""Share of them where nobody has said what is usual, and the least that is."""
MANY = 0.25
"""Share of the searches that alerts even if one query is behind them all."""


def learn(sample: BaselineSample) -> Mapping[str, int]:
    """How many different queries found nothing, and of how many; and how many searches."""
    empty, queries = _different(sample.searches, sample.config.window)
    nothing = int((sample.searches.hits == 0).sum())
    return {"empty": empty, "queries": queries, "nothing": nothing, "searches": len(sample.searches)}


def read(watched: WatchedSet) -> Sequence[SignalReading]:
    """How many find nothing, held against how many usually do.

    Different queries alert. One query that is asked again and again is a warning, until it is many of all searches.
    """
    searches = len(watched.searches)
    known, note = _usual(watched)
    empty, queries = _different(watched.searches, searches)
    nothing = int((watched.searches.hits == 0).sum())
    by_queries, _ = _chance(empty, queries, (known.get("empty", 0), known.get("queries", 0)), watched.tolerance)
    usual_counts = known.get("nothing", 0), known.get("searches", 0)
    by_searches, expected = _chance(nothing, searches, usual_counts, watched.tolerance)
    state = change.state_of(by_queries)
    share = nothing / searches
    if state != "alert" and change.state_of(by_searches) == "alert":
        state = "alert" if share >= MANY else "warn"
    said = (
        f"{nothing:,} of the last {searches:,} searches found nothing ({share:.1%}; {expected:.1%} is usual), "
        f"{empty:,} of {queries:,} different queries.{note}"
    )
    figures = {"usual": expected, "empty": empty, "queries": queries, "chance": by_queries}
    return [SignalReading(state, said, share, look_for_gone(watched.set.name), figures=figures)]


def _usual(watched: WatchedSet) -> tuple[Mapping[str, Any], str]:
    try:
        held = usual(watched, learn, in_space=False)
    except UsageError:
        return {}, ""  # that a search finds something can be expected of any set
    return held.known, held.note


def _chance(empty: int, queries: int, usual_counts: tuple[int, int], tolerance: float) -> tuple[float, float]:
    """That as many find nothing by chance, and the share that is expected to.

    The share of a baseline is known no better than its searches tell: it has the distribution that they leave of it
    (Beta, from Jeffreys' prior), and the count of the window is beta-binomial.
    """
    from scipy.stats import betabinom, binom

    before, of = usual_counts
    expected = min(0.5, max(USUAL, before / of if of else 0.0) * tolerance)
    chance = float(binom.sf(empty - 1, queries, expected))
    if of:
        by_count = float(betabinom.sf(empty - 1, queries, (before + 0.5) * tolerance, of - before + 0.5))
        chance = max(chance, by_count)
    return chance, expected


def _different(searches: Searches, stretch: int) -> tuple[int, int]:
    rows = distinct_rows(searches.query, stretch)
    return int((searches.hits[rows] == 0).sum()), len(rows)
