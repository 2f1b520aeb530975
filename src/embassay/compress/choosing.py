"""Which scheme is proposed: chosen on one half of the queries, and held against the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from embassay.compress.measuring import SearchedScheme
from embassay.evaluate.compare.statistics import Difference, detectable, differences

FEWEST_DIFFERING = 5
"""Queries that differ, below which the spread of the differences says little."""
RULE_OF_THREE = 3.0
"""What was not seen in n queries is at most 3 in n of all of them, at 95 %."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How much lower a score is than that of the stored vectors, in the mean of some queries."""

    mean: float
    low: float
    high: float
    """Bounds of its interval of 95 %."""
    queries: int
    resolves: float
    """The least true loss that so many queries show in 4 of 5 cases."""

    def to_dict(self) -> dict[str, float]:
        """As JSON has it."""
        return {name: round(float(getattr(self, name)), 6) for name in ("mean", "low", "high", "queries", "resolves")}


@dataclass(frozen=True, slots=True)
class ProposedScheme:
    """The scheme that is proposed."""

    scheme: str
    chosen: Loss
    """On the half that it was chosen on."""
    held_out: Loss
    """On the other half."""
    refused: tuple[str, ...]
    """Smaller ones that held on the first half and not on the other."""


def halves(queries: Iterable[str]) -> tuple[list[str], list[str]]:
    """Query ids in two halves, the same for the same ids whatever their order is."""
    mixed = sorted(queries, key=lambda query: hashlib.sha256(query.encode()).digest())
    return mixed[::2], mixed[1::2]


def losses(base: SearchedScheme, others: Sequence[SearchedScheme], metric: str, queries: Sequence[str]) -> list[Loss]:
    """Of each of `others` on these queries, against the stored vectors."""
    return _losses(base.scores, [one.scores for one in others], metric, queries)


def losses_rescored(
    base: SearchedScheme, others: Sequence[SearchedScheme], metric: str, queries: Sequence[str]
) -> list[Loss]:
    """The same where exact vectors order again what was found."""
    return _losses(base.scores, [one.rescored for one in others], metric, queries)


def propose(
    rows: Sequence[SearchedScheme], metric: str, max_loss: float, *, sure: bool = False
) -> ProposedScheme | None:
    """The smallest scheme that the store keeps whose loss is at most `max_loss` on both halves; None where none is.

    The first half chooses; the other one only refuses, so that what is told of it is of queries that did not choose.
    With `sure` it is the upper bound of the loss that counts there. `rows`: first the stored vectors.
    """
    base, *others = rows
    first, second = halves(base.scores)
    kept = sorted((one for one in others if not one.scheme.unkept), key=lambda one: (one.scheme.bytes, one.scheme.name))
    if not kept or not first or not second:
        return None
    chosen, held = (losses(base, kept, metric, half) for half in (first, second))
    refused: list[str] = []
    for one, ours, theirs in zip(kept, chosen, held, strict=True):
        if ours.mean > max_loss:
            continue
        if (theirs.high if sure else theirs.mean) <= max_loss:
            return ProposedScheme(one.scheme.name, ours, theirs, tuple(refused))
        refused.append(one.scheme.name)
    return None


Scores = Mapping[str, Mapping[str, float]]


def _losses(base: Scores, others: Sequence[Scores], metric: str, queries: Sequence[str]) -> list[Loss]:
    if not others:
        return []
    columns = np.array([[base[query][metric] - other[query][metric] for other in others] for query in queries])
    return [_loss(one) for one in differences(columns)]


def _loss(found: Difference) -> Loss:
    resolves = detectable(found.queries, found.deviation)
    if found.wins + found.losses < FEWEST_DIFFERING:
        resolves = max(resolves, RULE_OF_THREE / found.queries)
    return Loss(found.mean, found.low, found.high, found.queries, resolves)
