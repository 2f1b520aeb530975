"""What rerankers did in a measurement: which share of the queries each of them had, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.search.trace import Reranking


@dataclass(frozen=True, slots=True)
class RerankShare:
    """Of all queries of a measurement."""

    shares: Mapping[str, float]
    """Reranker to the share of the queries that it was asked for."""
    hard: float | None
    """The share of hard queries; None where the pipeline makes no difference."""
    left: float
    """The share of the candidates that were to be scored and were not."""
    cached: float
    """The share of the scores that were found in the cache."""
    usd_per_thousand_queries: float | None
    """By the queries whose scores were not found in the cache; None where there is none, or the price is not known."""

    @classmethod
    def of(cls, reranked: Mapping[str, Sequence[Reranking]], queries: int) -> RerankShare | None:
        """What the searches of so many queries say; None where no pipeline had a reranker."""
        every = [one for of_query in reranked.values() for one in of_query]
        if not every:
            return None
        asked: dict[str, list[Reranking]] = {}
        for one in every:
            if one.model:
                asked.setdefault(one.model, []).append(one)
        shares = {model: len(found) / queries for model, found in asked.items()}
        costs = {model: _usd(found) for model, found in asked.items()}
        known = [usd * shares[model] for model, usd in costs.items() if usd is not None]
        hard = [one.hard for one in every if one.hard is not None]
        scored, left = sum(one.scored for one in every), sum(one.left for one in every)
        return cls(
            shares,
            sum(hard) / len(hard) if hard else None,
            left / max(1, scored + left),
            sum(one.usage.cached for one in every) / max(1, scored),
            1000 * sum(known) if len(known) == len(costs) else None,
        )

    def __str__(self) -> str:
        """In one sentence."""
        asked = ", ".join(f"{model} for {share:.0%}" for model, share in self.shares.items()) or "nothing for any"
        usd = self.usd_per_thousand_queries
        money = "a price that is not known" if usd is None else "nothing" if not usd else f"${usd:.2f}"
        cached = f"; {self.cached:.0%} of the scores came from the cache" if self.cached else ""
        left = f"; {self.left:.0%} of the candidates were not scored" if self.left else ""
        return f"reranked by {asked} of the queries, {money} per 1,000 queries{cached}{left}."

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON has them."""
        usd = self.usd_per_thousand_queries
        return {
            "shares": {model: round(share, 4) for model, share in self.shares.items()},
            "hard": None if self.hard is None else round(self.hard, 4),
            "left": round(self.left, 4),
            "cached": round(self.cached, 4),
            "usd_per_thousand_queries": None if usd is None else round(usd, 6),
        }


def _usd(found: Sequence[Reranking]) -> float | None:
    """What one query costs where nothing of it is in the cache."""
    paid = [one.usage.usd for one in found if not one.usage.cached]
    known = [usd for usd in paid if usd is not None]
    return sum(known) / len(known) if known and len(known) == len(paid) else None
