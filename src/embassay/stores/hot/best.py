"""Which rows can be among the best by their words, as far as their scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.hot.sections import Array

if TYPE_CHECKING:
    from embassay.types import Vectors

ROUNDED_UP = 1.0001
"""By more than float32 can differ in the sum of a query's terms."""
ROUNDED_DOWN = 0.999999
"""By more than float32 can differ in a single number."""
A_CALL = 1024
"""Rows that are looked through in the time that it takes to begin with another holder."""
GROUPS = 4
"""Times as many groups of rows as are wanted: their greatest scores tell nearly what the wanted ones have at least."""


def candidates(
    total: Vectors, holders: Sequence[Array], k: int, mask: Array | None, rest: float
) -> tuple[Array | None, float]:
    """The rows, ascending, that can still be among the k best of `mask`, where every row gains less than `rest` beyond
    its score in `total`; None where one that has no score yet can be as well. And what the k best have at least now.

    `holders` have every row with a score.
    """
    if k <= 0:
        return None, 0.0
    gain = rest * ROUNDED_UP
    if _is_much(holders, len(total)):
        scores = total if mask is None else np.where(mask, total, np.float32(0))
        least = kth(scores, k)
        return (np.flatnonzero(scores >= (least - gain) * ROUNDED_DOWN) if least > gain else None), least
    rows = with_a_score(total, holders)
    if mask is not None:
        rows = rows[mask[rows]]
    if k >= len(rows):
        return None, 0.0
    scores = total[rows]
    least = float(np.partition(scores, len(rows) - k)[len(rows) - k])
    return (np.sort(rows[scores >= (least - gain) * ROUNDED_DOWN]) if least > gain else None), least


def kth(scores: Vectors, k: int) -> float:
    """The score that the k greatest have at least, or somewhat less where there are many; 0 where there are fewer."""
    groups = GROUPS * k
    if len(scores) >= 2 * groups:  # each of the k groups with the greatest maxima has a row of at least that score
        scores = scores[: len(scores) // groups * groups].reshape(groups, -1).max(axis=1)
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if k <= len(scores) else 0.0


def largest(rows: Array, scores: Vectors, k: int) -> tuple[Array, Vectors]:
    """The k rows of greatest score above 0, greatest first, equal ones by row; and their scores."""
    least = np.float32(0)
    if 0 < k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
    above = np.flatnonzero(scores > least)
    above = above[np.lexsort((rows[above], -scores[above]))]
    if least > 0:
        equal = np.flatnonzero(scores == least)
        first = equal[np.argsort(rows[equal])]
        above = np.concatenate([above, first[: k - len(above)]])
    return rows[above[:k]], scores[above[:k]]


def with_a_score(scores: Vectors, holders: Sequence[Array]) -> Array:
    """The rows of a score above 0, each once, by the terms that have them, in any order."""
    if _is_much(holders, len(scores)):
        return np.flatnonzero(scores > 0)
    unseen, found = np.ones(len(scores), bool), [np.zeros(0, np.int64)]
    for rows in holders:
        found.append(rows[unseen[rows]])
        unseen[rows] = False
    return np.concatenate(found)


def _is_much(holders: Sequence[Array], rows: int) -> bool:
    """Whether it takes less to look through all rows than through those of the holders."""
    return 4 * (sum(map(len, holders)) + A_CALL * len(holders)) > rows
