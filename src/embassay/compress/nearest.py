"""The nearest rows of every query, kept while the rows of a set pass by in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from embassay.types import Vectors

    Ints = np.ndarray[Any, np.dtype[np.int64]]


class NearestRows:
    """The `depth` rows of greatest score of each query, with the exact score of each; ties are broken by row."""

    def __init__(self, queries: int, depth: int) -> None:
        self._depth = depth
        self._scores = np.zeros((queries, 0), np.float32)
        self._exact = np.zeros((queries, 0), np.float32)
        self.rows: Ints = np.zeros((queries, 0), np.int64)
        """(queries, at most depth), in no order."""

    def add(self, scores: Vectors, exact: Vectors, first: int) -> None:
        """Scores (n, queries) of the n rows from number `first` on."""
        best = self._best(scores.T)
        self.rows = np.concatenate([self.rows, best + first], axis=1)
        self._scores = np.concatenate([self._scores, np.take_along_axis(scores.T, best, axis=1)], axis=1)
        self._exact = np.concatenate([self._exact, np.take_along_axis(exact.T, best, axis=1)], axis=1)
        kept = self._best(self._scores)
        self.rows = np.take_along_axis(self.rows, kept, axis=1)
        self._scores = np.take_along_axis(self._scores, kept, axis=1)
        self._exact = np.take_along_axis(self._exact, kept, axis=1)

    def ranked(self, *, rescored: bool) -> tuple[Ints, Vectors]:
        """(rows, their exact scores), best first: by the scores that they were found by, or by the exact ones."""
        by = self._exact if rescored else self._scores
        order = np.lexsort((self.rows, -by), axis=1)
        return np.take_along_axis(self.rows, order, axis=1), np.take_along_axis(self._exact, order, axis=1)

    def _best(self, scores: Vectors) -> Ints:
        """Columns of the greatest `depth` numbers of each row."""
        if scores.shape[1] <= self._depth:
            return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
        found: Ints = np.argpartition(-scores, self._depth - 1, axis=1)[:, : self._depth]
        return found


def recall(found: Vectors, best: Vectors, k: int) -> Vectors:
    """(queries,): the share of the k nearest rows that were found, by exact scores (queries, n) in the order found.

    A row that is as near as the last of them counts as one of them: which of two equal texts comes first is chance.
    """
    k = min(k, best.shape[1])
    if not k:
        return np.ones(len(found), np.float32)
    least = best[:, k - 1 : k] - 1e-6
    shares: Vectors = (found[:, :k] >= least).sum(axis=1) / np.float32(k)
    return shares
