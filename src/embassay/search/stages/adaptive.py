"""``adaptive(0.7)``: the sum of `convex`, with a dense weight for each query: by how far words single a hit out.

Where few passages share the words that count, the best one stands far above the mean of all candidates: such a query
names what it looks for, and words are to be trusted. Where many share them a little, as they do with a question in
plain words, the vectors are. The distance is taken in standard deviations: the *peak* of the words. It is known once
both arms have scored all candidates, costs nothing more, and depends on no scale of scores. In a set of short texts, as
of questions that customers ask, a peak may be high although thirty texts have nearly as many of the words: where the
scores are so flat, vectors count for more.

Measured with all-MiniLM-L6-v2 in int8 and BM25 on SciFact train and test, XQuAD in five languages and 120 questions of
users about three documentation trees, nDCG@10 in the mean (`python -m benchmarks.fusion`): 0.790, where
convex(0.75, complete=false), the default until then, has 0.780, and no set loses more than 0.003. The constants are of
a plateau: slopes from 0.2 to 0.4, each with the weight that suits it, give 0.789 to 0.791, and of those that lose
nowhere these gain most. They were chosen on the same sets, and two documentation trees carry most of the gain: without
them it is 0.003. Of thirty other signs of a query and its lists, its length, function words, rarest word, margins and
overlap told less; the skewness of the scores told as much. What flat scores add is nothing on these sets (+0.001 in
the mean, -0.002 at worst, within chance) and 0.004 [0.001, 0.007] on 600 questions of Banking77, of which each is to
find those of its intent: 0.866, where vectors alone have 0.875. That set was looked at while the constants were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from embassay.search.arguments import argument
from embassay.search.base import DEPTH, Found
from embassay.search.fusion import Fusion, Scores, raw_scores, scaled, weighted

USUAL = 5.0
"""The peak of the words of which `dense` is the weight: the median of SciFact's claims. Of questions about
documentation it is 3, of XQuAD's questions 7 to 8."""
LISTED = 150
"""Candidates that two lists of 100 have between them, usually."""
SHORTER = 0.25
"""The peak of a shorter list is lower: by this power of its length, halfway to that of one row among zeros."""
AMONG, FLAT, FLATNESS = 30, 0.55, 4.0
"""Where the score at this place is a larger share of the best one than that, many passages share the words about
equally: what it exceeds the share by counts so many times as much as a logarithm of the peak does. Places from 20 to
50, with shares of 0.5 to 0.6, give about the same."""
HIGHEST = 0.95
"""Words always have a say: they break ties of vectors that are alike."""


@dataclass(frozen=True)
class Adaptive(Fusion):
    """Keywords and names lean on words, questions on vectors: query performance prediction, by a spread of scores
    (Shtok and others, TOIS 2012, "Predicting query performance by query-drift estimation") that sets the weight."""

    dense: float = argument(0.7, least=0, most=1)
    """The weight that dense arms share for a query of the usual peak; the others share the rest."""
    slope: float = argument(0.25, least=0, most=2)
    """By how much that weight falls each time that the peak grows by a factor of e."""
    complete: bool = argument(True)
    """Whether an arm scores what only others found; else those get the lowest score of its list."""

    @property
    def completes(self) -> bool:
        return self.complete

    def weight(self, found: Mapping[str, Found]) -> float:
        """The weight of the dense arms for these lists, between 0 and `HIGHEST`."""
        tilts = [_tilt(one, found) for one in found.values() if not one.arm.dense and one.scored]
        return min(HIGHEST, max(0.0, self.dense - self.slope * max(tilts, default=0.0)))

    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """Weighted sums of scaled scores, from 0 to 1."""
        return weighted(found, {label: scaled(one) for label, one in found.items()}, self.weight(found))


def _tilt(words: Found, found: Mapping[str, Found]) -> float:
    """How far the words single a hit out: 0 as they do usually.

    No more than `DEPTH` candidates of each arm are looked at: how deep arms look shall not set the weight.
    """
    first = {one.ref for arm in found.values() for one in arm.scored[:DEPTH]}
    scores = [score for ref, score in raw_scores(words).items() if ref in first]
    return math.log(max(1.0, _peak(scores)) / USUAL) - FLATNESS * max(0.0, _level(scores) - FLAT)


def _level(scores: Sequence[float]) -> float:
    """The score of the candidate at place `AMONG` as a share of the best one; 0 where there are fewer."""
    if len(scores) < AMONG or not max(scores) > 0:
        return 0.0
    return nlargest(AMONG, scores)[-1] / max(scores)


def _peak(scores: Sequence[float]) -> float:
    """How many standard deviations the best score stands above the mean. Fewer candidates are made up for."""
    mean = math.fsum(scores) / len(scores)
    deviation = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / len(scores))
    if not deviation > 0:
        return 0.0
    longer: float = max(1.0, LISTED / len(scores)) ** SHORTER
    return (max(scores) - mean) / deviation * longer


STAGE = Adaptive
