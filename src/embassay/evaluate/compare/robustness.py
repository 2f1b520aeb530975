"""What candidates lose on altered queries: each is held against itself, on the same queries as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embassay.evaluate.compare.alterations import ALTERATIONS, MARK
from embassay.evaluate.compare.rows import Row
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.compare.verdict import MIN_QUERIES


@dataclass(frozen=True, slots=True)
class Robustness:
    """What one candidate loses on one kind of altered queries."""

    candidate: str
    alteration: str
    metric: str
    queries: int
    """Those that the alteration changed."""
    clean: float
    altered: float
    """Means over these queries."""
    drop: float
    interval: tuple[float, float] | None
    """Of 95 %; None for too few queries."""

    def to_dict(self) -> dict[str, object]:
        """As the JSON output has it."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"interval": self.interval and [*self.interval]}


def losses(rows: Sequence[Row], metric: str, queries: Sequence[str]) -> list[Robustness]:
    """What each candidate loses on each alteration of `queries`; none for one that failed."""
    found = []
    for row in rows:
        for name in ALTERATIONS if row.per_query else ():
            changed = [query for query in queries if f"{query}{MARK}{name}" in row.per_query]
            if not changed:
                continue
            before = np.array([row.per_query[query][metric] for query in changed])
            after = np.array([row.per_query[f"{query}{MARK}{name}"][metric] for query in changed])
            (seen,) = differences((before - after)[:, None])
            interval = (seen.low, seen.high) if len(changed) >= MIN_QUERIES else None
            means = float(before.mean()), float(after.mean())
            found.append(Robustness(row.name, name, metric, len(changed), *means, seen.mean, interval))
    return found
