"""Logged searches of one set in one space, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from embassay.sets.monitoring.marks import KINDS

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Columns of equal length, oldest search first."""

    seq: npt.NDArray[np.int64]
    """By which the log has the search."""
    asked: npt.NDArray[np.float64]
    """Seconds since 1970."""
    query: npt.NDArray[np.int64]
    """Equal for equal queries."""
    took_ms: npt.NDArray[np.float64]
    hits: npt.NDArray[np.int64]
    """How many were found."""
    dense: npt.NDArray[np.float64]
    """Raw score of the best hit of the vectors; NaN where they gave none."""
    words: npt.NDArray[np.float64]
    """Raw score of the best hit of the words, 0 where no hit has any; NaN where none were looked for."""
    terms: npt.NDArray[np.int64]
    """How many words were looked for."""
    other_dense: npt.NDArray[np.float64]
    other_words: npt.NDArray[np.float64]
    """As `dense` and `words`, of the hits in other documents than the first one."""
    first_click: npt.NDArray[np.int64]
    """Rank of the first hit that was opened; 0 where none was."""
    satisfied: npt.NDArray[np.int64]
    """1 where somebody found what was asked for, see `embassay.sets.log.outcome`."""
    feedback: npt.NDArray[np.int64]
    """1 where anybody said anything."""

    def __len__(self) -> int:
        return len(self.seq)

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, object]]) -> Searches:
        """Of what is known of each, oldest first; what a row does not say is 0."""
        return cls(**{name: np.array([row.get(name, 0) for row in rows], kind) for name, kind in KINDS.items()})

    def within(self, chosen: npt.NDArray[Any] | slice) -> Self:
        """Some of them, by a mask, a slice or their numbers."""
        return type(self)(**{name: getattr(self, name)[chosen] for name in KINDS})

    def queries_of(self, seq: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The `query` of each of these searches, all of which are here."""
        order = np.argsort(self.seq)
        return np.asarray(self.query[order[np.searchsorted(self.seq, seq, sorter=order)]])


def distinct_rows(query: npt.NDArray[np.int64], stretch: int) -> npt.NDArray[np.int64]:
    """The rows of the first of equal queries, in each stretch of so many searches; in their order.

    A log that is held against a window counts a query once in each stretch of the size of a window, so that queries
    which are asked all the time weigh as much in both.
    """
    numbers = np.arange(len(query)) // max(1, stretch)
    _, first = np.unique(np.stack((numbers, query)), axis=1, return_index=True)
    rows: npt.NDArray[np.int64] = np.sort(first)
    return rows
