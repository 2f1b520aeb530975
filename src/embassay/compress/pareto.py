"""Which of several things to choose from are not beaten at once in quality and in cost: the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence


def foremost(places: Sequence[tuple[float, float]]) -> list[bool]:
    """Of each (cost, quality) whether no other one is better at no more cost, or as good at less."""
    return [
        not any((cost <= own and quality > ours) or (cost < own and quality >= ours) for cost, quality in places)
        for own, ours in places
    ]
