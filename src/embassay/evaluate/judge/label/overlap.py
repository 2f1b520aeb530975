"""How far two rankings agree, the first places counting most: rank-biased overlap."""

from __future__ import annotations

from collections.abc import Sequence

PERSISTENCE = 0.9
"""Chance that a reader goes on to the next result: the first ten places have 86 % of the weight (Webber, Moffat and
Zobel, ACM TOIS 2010, section 4.3)."""


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], persistence: float = PERSISTENCE) -> float:
    """From 0, nothing in common, to 1, the same in the same order: RBO_EXT, equation 32 of Webber, Moffat and Zobel.

    Lists may be of different lengths; what lies behind their ends is taken to agree as far as what was seen. Two empty
    lists agree.
    """
    short, long = sorted((list(dict.fromkeys(a)), list(dict.fromkeys(b))), key=len)
    if not short:
        return float(not long)
    shared = _shared(short, long)
    s, length, p = len(short), len(long), persistence
    total = sum(shared[d - 1] / d * p**d for d in range(1, length + 1))
    total += sum(shared[s - 1] * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    behind = (shared[length - 1] - shared[s - 1]) / length + shared[s - 1] / s
    return (1 - p) / p * total + behind * p**length


def _shared(short: Sequence[str], long: Sequence[str]) -> list[int]:
    """How many results both lists have among their first 1, 2, 3 ..."""
    seen_short: set[str] = set()
    seen_long: set[str] = set()
    counts = []
    for at, name in enumerate(long):
        seen_long.add(name)
        if at < len(short):
            seen_short.add(short[at])
        counts.append(len(seen_short & seen_long))
    return counts
