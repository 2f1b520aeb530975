"""Which queries are asked most, and which fail: equal queries are one, however often they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.monitor.report.flagging import FlaggedSearches
    from embassay.monitor.searches import Searches

    Column = npt.NDArray[Any]

UNLIKELY = 0.01
"""Chance below which it is no accident that no hit of a query was ever opened, by how often those of others are."""
OFTEN = 5
"""Times that such a query was asked at least."""


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """One query, in all its searches of the time."""

    seq: int
    """Of the newest search, by which the log has it."""
    asked: int
    """How often."""
    nothing_found: int
    flagged: Mapping[str, int]
    """By the signal that looks at single searches: how many it calls bad."""
    with_feedback: int
    satisfied: int
    clicked: int
    score: float | None
    """Mean of the best raw score of the vectors."""
    failures: Sequence[str] = ()
    """Why it is thought to fail, in words."""


@dataclass(frozen=True, slots=True)
class FoundQueries:
    """The queries of a time."""

    different: int
    hot: Sequence[AskedQuery]
    """Asked most, most first."""
    failing: Sequence[AskedQuery]
    """With the most searches that failed, most first."""
    failed: int
    """How many queries fail, of which those are the first."""


def find_queries(searches: Searches, flagged: Mapping[str, FlaggedSearches], most: int) -> FoundQueries:
    """The hot and the failing queries, at most so many of each."""
    if not len(searches):
        return FoundQueries(0, (), (), 0)
    counted = _Counted(searches, flagged)
    hot = _largest(counted.asked, most)
    failures = counted.failures()
    failing = [at for at in _largest(failures, most) if failures[at] > 0]
    return FoundQueries(
        len(counted.asked),
        [counted.query(int(at), why=False) for at in hot],
        [counted.query(int(at), why=True) for at in failing],
        int((failures > 0).sum()),
    )


def _largest(values: Column, most: int) -> Column:
    """Where the largest stand, the largest first; of equal ones the first."""
    most = min(most, len(values))
    least = np.partition(values, len(values) - most)[len(values) - most]
    above = np.flatnonzero(values > least)
    chosen = np.concatenate([above, np.flatnonzero(values == least)[: most - len(above)]])
    found: Column = chosen[np.lexsort((chosen, -values[chosen]))]
    return found


class _Counted:
    """Sums over the searches of each query, in columns."""

    def __init__(self, searches: Searches, flagged: Mapping[str, FlaggedSearches]) -> None:
        self._titles = {name: one.title for name, one in flagged.items()}
        _, last, self._of = np.unique(searches.query[::-1], return_index=True, return_inverse=True)
        self._of = self._of[::-1]
        self._seq = searches.seq[len(searches) - 1 - last]
        self.asked = np.bincount(self._of)
        disliked = (searches.feedback > 0) & (searches.satisfied == 0)
        self._empty = self._sum(searches.hits == 0)
        self._disliked = self._sum(disliked)
        self._given = self._sum(searches.feedback > 0)
        self._satisfied = self._sum(searches.satisfied > 0)
        self._clicked = self._sum(searches.first_click > 0)
        self._flagged = {name: self._sum(one.bad) for name, one in flagged.items()}
        scored = ~np.isnan(searches.dense)
        sums = np.bincount(self._of, weights=np.where(scored, searches.dense, 0.0))
        with np.errstate(invalid="ignore"):
            self._score = sums / self._sum(scored)
        failed = (searches.hits == 0) | disliked
        for one in flagged.values():
            failed = failed | one.bad
        self._failed = self._sum(failed)
        self._usual = float((searches.first_click > 0).mean())

    def _sum(self, mask: Column) -> Column:
        return np.bincount(self._of[mask], minlength=len(self.asked))

    @property
    def _ignored(self) -> Column:
        """Queries whose hits nobody ever opened although they were asked often, and hits of others are opened."""
        often = (self.asked >= OFTEN) & (self._given == 0)
        found: Column = often & ((1 - self._usual) ** self.asked < UNLIKELY)
        return found

    def failures(self) -> Column:
        """How many searches of each query failed: more than half of them, or all, where nobody opened a hit."""
        failed = np.where(self._failed * 2 > self.asked, self._failed, 0)
        found: Column = np.maximum(failed, np.where(self._ignored, self.asked, 0))
        return found

    def query(self, at: int, *, why: bool) -> AskedQuery:
        """One of them."""
        score = float(self._score[at])
        return AskedQuery(
            int(self._seq[at]),
            int(self.asked[at]),
            int(self._empty[at]),
            {name: int(counts[at]) for name, counts in self._flagged.items()},
            int(self._given[at]),
            int(self._satisfied[at]),
            int(self._clicked[at]),
            None if np.isnan(score) else score,
            [*self._why(at)] if why else (),
        )

    def _why(self, at: int) -> Sequence[str]:
        counts = {"found nothing": self._empty[at], "nobody was satisfied": self._disliked[at]}
        counts |= {self._titles[name].lower(): one[at] for name, one in self._flagged.items()}
        said = [f"{what}: {count:,} of {self.asked[at]:,}" for what, count in counts.items() if count]
        return [*said, *(["no hit was ever opened"] if self._ignored[at] else [])]
