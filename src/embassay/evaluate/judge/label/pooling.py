"""Which results of the candidates somebody judges for a question, and in which order they are shown.

Pooling: the best results of every candidate are judged, and the others count as irrelevant (Sparck Jones and van
Rijsbergen, 1975; every collection of TREC is made so).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from embassay.evaluate.judge.label.overlap import rank_biased_overlap


@dataclass(frozen=True, slots=True)
class ResultPool:
    """A question with the results to judge."""

    id: str
    text: str
    rankings: Mapping[str, Sequence[str]]
    """Candidate to ids of passages, best first."""
    shown: Sequence[str]
    """Ids of the passages to judge, mixed: their order says nothing of rank or candidate."""
    left_out: int
    """Results among the first ones of some candidate that are not shown, and count as irrelevant."""
    disagreement: float
    """From 0, all candidates find the same in the same order as the first one, to 1, nothing in common."""


def pool(id: str, text: str, rankings: Mapping[str, Sequence[str]], *, depth: int, most: int) -> ResultPool:
    """Pool the first `depth` results of every candidate, and of these at most `most`; 0: all of them.

    They are taken in rounds, every candidate's first, every candidate's second and so on, so that none has a larger
    share of what is judged; whose turn it is first in a round differs from question to question. `rankings` has the
    candidate in use first.
    """
    union = _rounds(id, rankings, depth)
    taken = union[:most] if most else union
    shown = sorted(taken, key=lambda document: blake2b(f"{id}\0{document}".encode("utf-8", "replace")).digest())
    return ResultPool(id, text, rankings, shown, len(union) - len(taken), disagreement(list(rankings.values()), depth))


def disagreement(rankings: Sequence[Sequence[str]], depth: int) -> float:
    """1 - rank-biased overlap of the first ranking with each other one, in the mean: how much there is to learn."""
    first, *others = [ranking[:depth] for ranking in rankings]
    return sum(1 - rank_biased_overlap(first, other) for other in others) / max(1, len(others))


def _rounds(id: str, rankings: Mapping[str, Sequence[str]], depth: int) -> list[str]:
    names = list(rankings)
    random.Random(id).shuffle(names)
    found: dict[str, None] = {}
    for rank in range(depth):
        for name in names:
            found.update(dict.fromkeys(islice(rankings[name], rank, rank + 1)))
    return list(found)
