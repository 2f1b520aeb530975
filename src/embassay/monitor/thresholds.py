"""Thresholds of scores, calibrated for one set in one space: below which a search looks like one without its answer.

A raw score says little by itself: a cosine of 0.5 is poor in one space and excellent in another, and BM25 grows with
the number of words that are asked for. What tells searches whose answer is there from those whose answer is gone is
both arms together: a logistic regression of the best cosine, the logarithm of the best BM25 score, and the logarithm
of how many words are looked for. It is fitted on searches whose answer is there, and on *twins* of the same searches
that lack the documents with the answer: they need no second index. Judgments say which these are; without any, the
document of the first hit is taken for the answer, which gives the same thresholds. More figures of the hits, the
second best, means of the next, agreement of the arms, distances in standard deviations, tell no more than these three.
How many of the query's words are in the text of a hit caught up to 1.5 points more of the removed answers of XQuAD, and
takes 50 to 80 microseconds a text, which is more than a search may cost for being logged.

A threshold is a score that stood at a certain place from below among those of m good searches. Whatever their
distribution, the share of new good searches that fall below the j-th lowest has the distribution Beta(j, m + 1 - j).
Windows are tested against that, so that thresholds made of few searches raise no more false alarms than those made of
many (order statistics; Vovk 2012, "Conditional validity of inductive conformal predictors").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Levels = npt.NDArray[np.int8]
    """Of searches, as `Thresholds.levels` has them."""

Source = Literal["judged", "searches", "foreign", "configuration"]
"""What thresholds were made of: judged queries, searches of the log, questions that are foreign to the set, or what
somebody wants."""
SAID = {
    "judged": "judged queries",
    "searches": "searches of the log",
    "foreign": "questions about other things",
    "configuration": "the configuration",
}
FEWEST = 30
"""Searches that thresholds are made of, at least."""
WARN, ALERT = 0.035, 0.01
"""Shares of good searches that lie below. One in twenty may be flagged, and which share is below varies by chance: with
200 searches on either side it is above 5 % in one of six cases."""
ASSUMED = 100
"""Searches that the usual share is taken from where nobody has seen any."""
RIDGE = 1.0
"""Weight of the squares of the standardised coefficients."""
STEPS, CLOSE = 50, 1e-8
"""Of Newton's method: how many at most, and what counts as standing still."""
UNTOLD = -1
"""The level of a search that nothing can be said of."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchFigures:
    """What tells searches apart, in columns of equal length."""

    dense: Column
    """Raw score of the best hit of the vectors; NaN where none were compared."""
    words: Column
    """Raw score of the best hit of the words, 0 where no hit has any of them; NaN where none were looked for."""
    terms: Column
    """How many words say something of what is looked for."""

    def __len__(self) -> int:
        return len(self.dense)

    def chosen(self, rows: npt.NDArray[Any]) -> Self:
        """Some rows alone, by a mask or by their numbers."""
        return type(self)(self.dense[rows], self.words[rows], self.terms[rows])


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """How figures of a search make one score, and what is low on it."""

    weights: tuple[float, float, float]
    """Of the cosine, of ``log(1 + words)``, and of ``log(1 + terms)``."""
    offset: float
    raw: bool
    """Whether the score is the weighted sum itself; else it is the probability, from 0 to 1, that the answer is there
    where half of the answers are."""
    warn: float
    """A search that scores less is low,"""
    alert: float
    """and one that scores less than this is very low."""
    good: int
    """Searches whose answer was there."""
    below_warn: float
    below_alert: float
    """How many of so many new ones are expected below."""
    caught: float | None = None
    """Share of the same searches without their answers that are low; None where nobody has tried."""

    def scores(self, figures: SearchFigures) -> Column:
        """One number a search."""
        return _scored(_design(figures, self.weights), self.weights, self.offset, raw=self.raw)

    def chance(self, below: int, searches: int, expected: float) -> float:
        """Of so many or more among `searches` that are as good as those that the thresholds were made of.

        `expected` is one of the counts of those that are expected below.
        """
        from scipy.stats import betabinom

        if not below:
            return 1.0
        expected = min(expected, self.good)
        return float(betabinom.sf(below - 1, searches, expected, self.good + 1 - expected))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is low in one space: for searches by vectors and words, and for those by vectors alone."""

    source: Source
    dense: ScoreScale
    both: ScoreScale | None = None
    """None where words tell nothing, or nobody looked for any."""

    @property
    def best(self) -> ScoreScale:
        """That of hybrid searches, where there is one."""
        return self.both or self.dense

    def levels(self, figures: SearchFigures) -> Levels:
        """Of each search: 0 for one as usual, 1 for a low and 2 for a very low one, `UNTOLD` where nobody can tell."""
        levels = np.full(len(figures), UNTOLD, np.int8)
        by_vectors = ~np.isnan(figures.dense)
        by_both = by_vectors & ~np.isnan(figures.words)
        for scale, known in ((self.dense, by_vectors), (self.both, by_both)):  # what both arms say counts more
            if scale is not None:
                scores = scale.scores(figures.chosen(known))
                levels[known] = (scores < scale.warn).astype(np.int8) + (scores < scale.alert)
        return levels

    def same_levels(self, other: Thresholds) -> bool:
        """Whether the same scores are low and very low."""
        return (self.best.warn, self.best.alert) == (other.best.warn, other.best.alert)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self | None:
        """What `to_dict` wrote down; None for anything else."""
        try:
            return msgspec.convert(row, cls)
        except msgspec.ValidationError:
            return None

    def __str__(self) -> str:
        scale = self.best
        what = "score" if not scale.raw else "best raw score of the vectors"
        made = f"made of {scale.good:,} {SAID[self.source]}" if self.source in {"judged", "searches"} else ""
        made = made or f"from {SAID[self.source]}"
        return f"low below a {what} of {scale.warn:.3g}, very low below {scale.alert:.3g} ({made})"


def calibrate(good: SearchFigures, gone: SearchFigures, source: Source) -> Thresholds | None:
    """Thresholds from searches whose answer is there, and the same ones without it; None for too few.

    Row i of `gone` is the twin of row i of `good`.
    """
    known = ~np.isnan(good.dense) & ~np.isnan(gone.dense)
    if known.sum() < FEWEST:
        return None
    dense = _fitted(good.chosen(known), gone.chosen(known), (True, False, False))
    both = known & ~np.isnan(good.words) & ~np.isnan(gone.words)
    if both.sum() < FEWEST:
        return Thresholds(source, dense)
    return Thresholds(source, dense, _fitted(good.chosen(both), gone.chosen(both), (True, True, True)))


def fixed(
    warn: float,
    alert: float,
    source: Source,
    seen: SearchFigures | None = None,
    usual: tuple[float, float] | None = None,
) -> Thresholds:
    """Thresholds of the best raw score of the vectors.

    What is usual is taken from searches that were `seen`; where these are too few, the two shares `usual` are, else
    those of calibrated thresholds.
    """
    known = seen.dense[~np.isnan(seen.dense)] if seen else np.zeros(0)
    if len(known) >= FEWEST:
        good = len(known)
        below = [float((known < threshold).sum()) + 1 for threshold in (warn, alert)]
    else:
        good = ASSUMED
        below = [share * ASSUMED for share in usual or (WARN, ALERT)]
    return Thresholds(source, ScoreScale((1.0, 0.0, 0.0), 0.0, True, warn, alert, good, *below))


def _fitted(good: SearchFigures, gone: SearchFigures, chosen: tuple[bool, bool, bool]) -> ScoreScale:
    """The scale of some of the figures. A better score of an arm never makes a search worse: one that seemed to is
    left out."""
    ones = tuple(map(float, chosen))
    rows = np.concatenate([_design(good, ones), _design(gone, ones)])
    answered = np.repeat([1.0, 0.0], [len(good), len(gone)])
    weights, offset = _regressed(rows, answered, np.array(chosen))
    wrong = [at for at in (0, 1) if weights[at] < 0]
    if wrong:
        left = (chosen[0] and 0 not in wrong, chosen[1] and 1 not in wrong, chosen[2])
        weights, offset = _regressed(rows, answered, np.array(left))
    named = float(weights[0]), float(weights[1]), float(weights[2])
    scores = np.sort(_scored(_design(good, named), named, offset, raw=False))
    places = [max(1, int(share * (len(good) + 1))) for share in (WARN, ALERT)]
    warn, alert = (float(scores[place - 1]) for place in places)
    without = _scored(_design(gone, named), named, offset, raw=False)
    caught = float((without < warn).mean())
    return ScoreScale(named, offset, False, warn, alert, len(good), float(places[0]), float(places[1]), caught)


def _design(figures: SearchFigures, weights: tuple[float, ...]) -> Column:
    """The figures as they are weighed: (n, 3), with 0 for those that do not count."""
    columns = figures.dense, np.log1p(figures.words), np.log1p(figures.terms)
    zero = np.zeros(len(figures))
    return np.column_stack([column if weight else zero for column, weight in zip(columns, weights, strict=True)])


def _scored(rows: Column, weights: tuple[float, float, float], offset: float, *, raw: bool) -> Column:
    sums: Column = rows @ np.array(weights) + offset
    return sums if raw else _logistic(sums)


def _logistic(sums: Column) -> Column:
    made: Column = 1 / (1 + np.exp(-np.clip(sums, -500, 500)))
    return made


def _regressed(rows: Column, answered: Column, chosen: npt.NDArray[np.bool_]) -> tuple[Column, float]:
    """Weights (3,) and offset of a logistic regression with a ridge penalty, by Newton's method."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    use = chosen & (spread > 0)
    scaled = np.column_stack([np.ones(len(rows)), (rows[:, use] - mean[use]) / spread[use]])
    penalty = np.diag([0.0, *[RIDGE] * int(use.sum())])
    found = np.zeros(scaled.shape[1])
    for _ in range(STEPS):
        likely = _logistic(scaled @ found)
        slope = scaled.T @ (answered - likely) - penalty @ found
        curve = (scaled * (likely * (1 - likely))[:, None]).T @ scaled + penalty
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        found = found + step
        if np.abs(step).max() < CLOSE:
            break
    weights = np.zeros(rows.shape[1])
    weights[use] = found[1:] / spread[use]
    return weights, float(found[0] - weights @ np.where(use, mean, 0.0))
