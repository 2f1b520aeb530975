"""Ways to make one ranking of several: pure functions over candidate lists, as values with a name.

Measured with all-MiniLM-L6-v2 and BM25, 100 candidates an arm, nDCG@10 (`python -m benchmarks.quality`):

    fusion        SciFact test   SciFact train   XQuAD en   XQuAD de
    rrf(60)       0.717          0.717           0.969      0.853
    zscore(0.5)   0.730          0.731           0.979      0.935
    convex(0.75)  0.734          0.734           0.979      0.938
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from embassay.stores.base import Scored

Lists = Mapping[str, Sequence[Scored]]
"""Candidates of each arm, best first."""


class Fusion(Protocol):
    """One score for each candidate of any arm; the greatest is the best."""

    def fuse(self, lists: Lists) -> dict[Hashable, float]: ...


@dataclass(frozen=True, slots=True)
class Rrf:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): the sum of 1 / (k + rank)."""

    k: int = 60

    def fuse(self, lists: Lists) -> dict[Hashable, float]:
        fused: dict[Hashable, float] = {}
        for candidates in lists.values():
            for rank, candidate in enumerate(candidates, 1):
                fused[candidate.ref] = fused.get(candidate.ref, 0.0) + 1 / (self.k + rank)
        return fused

    def __str__(self) -> str:
        return f"rrf({self.k})"


LEAST = {"dense": -1.0, "lexical": 0.0}
"""The least score an arm can give: a cosine of -1, a BM25 of 0."""


@dataclass(frozen=True, slots=True)
class Convex:
    """Weighted sum of scores scaled between the arm's theoretical least and its greatest in the list.

    TM2C2 of Bruch, Gai and Ingber, ACM TOIS 2023 (arXiv 2210.11934), section 4. A candidate that an arm did
    not return gets the lowest score that arm did return, the best that can be known of it.
    """

    dense: float = 0.75
    """Weight of the dense arm; the others share the rest."""

    def fuse(self, lists: Lists) -> dict[Hashable, float]:
        return _weighted({name: _scaled(c, LEAST.get(name, 0.0)) for name, c in lists.items()}, self.dense)

    def __str__(self) -> str:
        return f"convex({self.dense:g})"


@dataclass(frozen=True, slots=True)
class ZScore:
    """Weighted sum of scores in standard deviations from the mean of their list."""

    dense: float = 0.5

    def fuse(self, lists: Lists) -> dict[Hashable, float]:
        return _weighted({name: _standardised(c) for name, c in lists.items()}, self.dense)

    def __str__(self) -> str:
        return f"zscore({self.dense:g})"


DEFAULT_FUSION: Fusion = Convex()
FUSIONS: Mapping[str, Fusion] = {"convex": Convex(), "zscore": ZScore(), "rrf": Rrf()}


def _weighted(arms: Mapping[str, dict[Hashable, float]], dense: float) -> dict[Hashable, float]:
    arms = {name: scores for name, scores in arms.items() if scores}
    weights = {name: dense if name == "dense" else 1 - dense for name in arms}
    refs = {ref: None for scores in arms.values() for ref in scores}
    floor = {name: min(scores.values()) for name, scores in arms.items()}
    return {ref: math.fsum(weights[n] * s.get(ref, floor[n]) for n, s in arms.items()) for ref in refs}


def _scaled(candidates: Sequence[Scored], least: float) -> dict[Hashable, float]:
    if not candidates:
        return {}
    span = max(c.score for c in candidates) - least
    return {c.ref: (c.score - least) / span if span > 0 else 0.0 for c in candidates}


def _standardised(candidates: Sequence[Scored]) -> dict[Hashable, float]:
    if not candidates:
        return {}
    mean = math.fsum(c.score for c in candidates) / len(candidates)
    deviation = math.sqrt(math.fsum((c.score - mean) ** 2 for c in candidates) / len(candidates))
    return {c.ref: (c.score - mean) / deviation if deviation > 0 else 0.0 for c in candidates}
