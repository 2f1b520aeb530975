"""Whether better answers pay for a dearer model: what it costs in a year against what a gain of nDCG is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.catalog.cost import Cost

QUERY_TOKENS = 16
"""Tokens of a query, without the prompt of its model: a question of a dozen words."""


@dataclass(frozen=True, slots=True)
class Worth:
    """One candidate over a year."""

    model: str
    usd: float | None
    """The first index, twelve months of changes, and the queries; None where no price is known."""
    queries_usd: float | None
    """The part of the queries."""
    extra_usd: float | None
    """Beyond the cheapest candidate."""
    points_to_pay: float | None
    """Points of nDCG@10 (0.01 each) by which it has to be better than the cheapest to pay for itself."""
    gain: float | None
    """Points by which it was measured to be better; None where nobody said."""
    net_usd: float | None
    """What that gain is worth in a year, less what it costs beyond the cheapest."""


def worth(
    costs: Sequence[Cost], value_per_point: float, queries_per_month: float, gains: Mapping[str, float] | None = None
) -> list[Worth]:
    """What each of `costs` has to gain in a year to pay for itself, the cheapest being the one it is held against.

    `value_per_point`: USD a year that a point of nDCG@10 is worth. `gains`: points by model, measured against the
    cheapest. Raises UsageError for a value that is not above 0, queries below 0, and gains of other models.
    """
    if not 0 < value_per_point < float("inf"):
        raise UsageError(f"a point is worth {value_per_point:g} USD: write a number above 0.")
    if not 0 <= queries_per_month < float("inf"):
        raise UsageError(f"{queries_per_month:g} queries a month: write a number from 0.")
    gains = gains or {}
    if unknown := sorted(gains.keys() - {cost.model for cost in costs}):
        raise UsageError(f"a gain is given for {', '.join(unknown)}, which is not among the models.")
    yearly = {cost.model: _yearly(cost, queries_per_month) for cost in costs}
    least = min((usd for usd, _ in yearly.values() if usd is not None), default=None)
    found = []
    for model, (usd, queries) in yearly.items():
        extra = None if usd is None or least is None else usd - least
        needed = None if extra is None else extra / value_per_point
        gain = gains.get(model)
        net = None if gain is None or extra is None else gain * value_per_point - extra
        found.append(Worth(model, usd, queries, extra, needed, gain, net))
    return found


def monthly_usd(cost: Cost, queries_per_month: float) -> float | None:
    """What a month costs: the changes, and the queries; None where no price is known."""
    price = cost.usd_per_million_tokens
    if price is None or cost.monthly.usd is None:
        return None
    return cost.monthly.usd + queries_per_month * (QUERY_TOKENS + cost.query_prompt_tokens) * price / 1e6


def _yearly(cost: Cost, queries_per_month: float) -> tuple[float | None, float | None]:
    price = cost.usd_per_million_tokens
    if price is None or cost.first.usd is None or cost.monthly.usd is None:
        return None, None
    month = monthly_usd(cost, queries_per_month) or 0.0
    return cost.first.usd + 12 * month, 12 * (month - cost.monthly.usd)
