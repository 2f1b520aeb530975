"""What each arm of a search would have scored alone, by the ranks that its hits say: joined, they may score less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.score.metrics import per_query

if TYPE_CHECKING:
    from embassay.types import Hit


@dataclass(frozen=True, slots=True)
class BetterArm:
    """An arm that alone scores more than all of them joined."""

    label: str
    metric: str
    gain: float
    interval: tuple[float, float]
    """Of the gain, 95 %, paired by queries."""

    def __str__(self) -> str:
        low, high = self.interval
        said = f"{self.label} alone is {self.gain:.3f} {self.metric} better here, [{low:+.3f}, {high:+.3f}]"
        return said if low > 0 else f"{said}, which may be chance"

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {"arm": self.label, "metric": self.metric, "gain": self.gain, "interval": [*self.interval]}


def hits_by_arm(hits: Sequence[Hit]) -> dict[str, list[Hit]]:
    """The hits that each arm found, by its label and in its order, those that stand behind another one among them."""
    found: dict[str, list[tuple[int, Hit]]] = {}
    for hit in _all(hits):
        for label, arm in hit.arms.items():
            found.setdefault(label, []).append((arm.rank, hit))
    return {label: [hit for _, hit in sorted(one, key=lambda ranked: ranked[0])] for label, one in found.items()}


def _all(hits: Sequence[Hit]) -> Iterator[Hit]:
    for hit in hits:
        yield hit
        yield from hit.more


def better_arm(
    qrels: Mapping[str, Mapping[str, int]],
    arms: Mapping[str, Mapping[str, Sequence[str]]],
    scores: Mapping[str, Mapping[str, float]],
    metric: str,
    queries: Sequence[str],
) -> BetterArm | None:
    """The arm that is best alone, if it is better than what was ranked; None for a search of one arm.

    `arms` has what each arm ranked, by its label and by query id.
    """
    import numpy as np

    best: BetterArm | None = None
    for label, rankings in arms.items() if len(arms) > 1 else ():
        ranked = {q: {d: -float(place) for place, d in enumerate(rankings.get(q, ()))} for q in queries}
        alone = per_query({q: qrels[q] for q in queries}, ranked, (metric,))
        gains = np.array([alone[q][metric] - scores[q][metric] for q in queries])
        if gains.mean() > (best.gain if best else 0.0):
            (seen,) = differences(gains[:, None])
            best = BetterArm(label, metric, seen.mean, (seen.low, seen.high))
    return best
