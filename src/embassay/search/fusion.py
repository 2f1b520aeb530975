"""Stages that make one ranking of what several arms found, and the weighted sum that some of them share.

What each of them scores on judged sets is in `docs/searching.md`, measured by `python -m benchmarks.fusion`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import starmap
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from embassay.search.base import Candidates, Found, Inner
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context

Scores = dict[Hashable, float]


@dataclass(frozen=True)
class Fusion(Inner):
    """A stage that gives one score to each candidate of any arm; the greatest is the best."""

    by_kind: ClassVar[bool] = True
    """Whether it has a weight for dense arms together, so that those of single arms say how they share it."""

    @property
    def completes(self) -> bool:
        """Whether each arm is asked for its score of what only others found."""
        return True

    @abstractmethod
    def fuse(self, found: Mapping[str, Found]) -> Scores:
        """The score of every candidate that any arm found."""

    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """All candidates in the order of their scores; equal ones stay in the order in which they were found.

        Raises what the arms raise.
        """
        found = {**candidates.found, **candidates.rescored}
        if self.completes:  # what was rescored is of another space than the one in which its arm would score
            with context.asking(candidates.asked):
                found |= completed(found, context, [label for label in found if label not in candidates.rescored])
        fused = sorted(self.fuse(found).items(), key=itemgetter(1), reverse=True)
        return replace(candidates, ranking=[*starmap(Scored, fused)])


def completed(found: Mapping[str, Found], context: Context, labels: Iterable[str]) -> dict[str, Found]:
    """The lists of these arms, each with the scores that its arm gives to what only others found.

    An arm that found nothing has nothing to tell candidates apart by, and is not asked.
    """
    refs = {one.ref: None for arm in found.values() for one in arm.scored}
    return {label: replace(found[label], others=_others(found[label], refs, context)) for label in labels}


def _others(found: Found, refs: Iterable[Hashable], context: Context) -> Scores:
    known = {one.ref for one in found.scored}
    missing = [ref for ref in refs if ref not in known] if known else []
    scores = found.arm.score(context, missing) if missing else None
    if scores is None:
        return {}
    return {ref: score for ref, score in zip(missing, scores.tolist(), strict=True) if not math.isnan(score)}


def raw_scores(found: Found) -> Scores:
    """What an arm gives to the candidates: first those that it found, best first, then the others."""
    return {**{one.ref: one.score for one in found.scored}, **found.others}


def scaled(found: Found) -> Scores:
    """Scores between 0, the least that the arm can give or else the least that it gave, and 1, the greatest."""
    scores = raw_scores(found)
    if not scores:
        return {}
    least = found.arm.least if found.bounded else min(scores.values())
    span = max(scores.values()) - least
    return {ref: (score - least) / span if span > 0 else 0.0 for ref, score in scores.items()}


def weighted(found: Mapping[str, Found], scaled: Mapping[str, Scores], dense: float) -> Scores:
    """The weighted sum of the `scaled` scores of each arm.

    The arms that compare dense vectors share the weight `dense`, and all others share ``1 - dense``, each in proportion
    to its own weight. A candidate that an arm neither found nor scored gets the lowest score that it gave: the best
    that can be known.
    """
    weights = _weights(found, dense)
    arms = {label: scores for label, scores in scaled.items() if scores}
    total = dict.fromkeys([one.ref for arm in found.values() for one in arm.scored], 0.0)
    for label, scores in arms.items():
        weight, least = weights[label], min(scores.values())
        for ref in total:
            total[ref] += weight * scores.get(ref, least)
    return total


def _weights(found: Mapping[str, Found], dense: float) -> dict[str, float]:
    """The weight of each arm. It does not depend on what the arms found."""
    alike = {True: dense, False: 1 - dense}
    whole = {kind: math.fsum(one.arm.weight for one in found.values() if one.arm.dense is kind) for kind in alike}
    return {label: alike[one.arm.dense] * one.arm.weight / whole[one.arm.dense] for label, one in found.items()}
