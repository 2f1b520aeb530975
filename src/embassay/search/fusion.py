"""Stages that make one ranking of what several arms found, and the weighted sum that some of them share.

Measured with all-MiniLM-L6-v2 and BM25, 100 candidates an arm, nDCG@10 (`python -m benchmarks.quality`):

    fusion        SciFact test   SciFact train   XQuAD en   XQuAD de
    rrf(60)       0.717          0.717           0.969      0.853
    zscore(0.5)   0.730          0.731           0.979      0.935
    convex(0.75)  0.734          0.734           0.979      0.938
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay.search.base import Candidates, Found, Inner
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context

Scores = dict[Hashable, float]


@dataclass(frozen=True)
class Fusion(Inner):
    """A stage that gives one score to each candidate of any arm; the greatest is the best."""

    @abstractmethod
    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """The score of every candidate that any arm found."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """All candidates in the order of their scores; equal ones stay in the order in which they were found."""
        fused = sorted(self.fuse({**candidates.found, **candidates.rescored}).items(), key=lambda item: -item[1])
        return replace(candidates, ranking=[Scored(ref, score) for ref, score in fused])


def weighted(found: Mapping[str, Found], scaled: Mapping[str, Scores], dense: float) -> Scores:
    """The weighted sum of the `scaled` scores of each arm.

    The arms that compare dense vectors share the weight `dense` equally, and all others share ``1 - dense``. A
    candidate that an arm did not return gets the lowest score that this arm did return: the best that can be known.
    """
    weights = _weights(found, dense)
    arms = {label: scores for label, scores in scaled.items() if scores}
    refs = {ref: None for scores in arms.values() for ref in scores}
    floor = {label: min(scores.values()) for label, scores in arms.items()}
    return {
        ref: math.fsum(weights[label] * scores.get(ref, floor[label]) for label, scores in arms.items()) for ref in refs
    }


def _weights(found: Mapping[str, Found], dense: float) -> dict[str, float]:
    """The weight of each arm. It does not depend on what the arms found."""
    alike = {True: dense, False: 1 - dense}
    count = {kind: sum(one.arm.dense is kind for one in found.values()) for kind in alike}
    return {label: alike[one.arm.dense] / count[one.arm.dense] for label, one in found.items()}
