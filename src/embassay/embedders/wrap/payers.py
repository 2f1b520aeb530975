"""For whom money is spent: one who asked, or several whose texts go to a service together and share what it costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextvars import ContextVar

Payers = tuple[tuple[str, float], ...]
"""Purposes, as the ledger has them, and the share of each; shares add up to 1. An empty purpose is that of the run; no
payers at all are that one alone."""

PAYERS: ContextVar[Payers] = ContextVar("payers", default=())
"""For whom whatever is done now is done. Threads that work for a caller are given the caller's."""


def together(parts: Iterable[tuple[Payers, float]]) -> Payers:
    """Who pays for what several asked for, each with a weight, such as the tokens of their texts."""
    weights: defaultdict[str, float] = defaultdict(float)
    for payers, weight in parts:
        for purpose, share in payers or (("", 1.0),):
            weights[purpose] += weight * share
    if weights.keys() <= {""}:
        return ()
    whole = sum(weights.values())
    return tuple((purpose, weight / whole if whole else 1 / len(weights)) for purpose, weight in weights.items())
