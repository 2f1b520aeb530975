"""Quality against cost, as points with their spread; and which candidates another one clearly beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embassay.evaluate.compare.result import Comparison
from embassay.evaluate.compare.rows import Row
from embassay.evaluate.report.charts import Point

Cost = Callable[[Row], tuple[float, float] | None]
"""From where to where what a candidate costs mostly lies; None where nobody knows."""


def latency(row: Row) -> tuple[float, float] | None:
    """Milliseconds of a query: the median and the 95th percentile."""
    assert row.costs is not None
    p50, p95 = row.costs.latency_ms["p50"], row.costs.latency_ms["p95"]
    return None if p50 is None or p95 is None else (p50, p95)


def storage(row: Row) -> tuple[float, float] | None:
    """Bytes of the vectors of a million chunks."""
    assert row.costs is not None
    return row.costs.bytes_per_million, row.costs.bytes_per_million


def points(found: Comparison, short: Mapping[str, str], cost: Cost) -> list[Point]:
    """A point for each candidate that did not fail, with the number that the page gives it."""
    metric = found.metrics[0]
    done = [row for row in found.rows if not row.error]
    known = {row.name: spread for row in done if (spread := cost(row)) is not None}
    made = []
    for number, row in enumerate(done, 1):
        if row.name not in known:
            continue
        bounds, beaten = row.intervals[metric], _is_beaten(found, row.name, known)
        made.append(Point(short[row.name], number, *known[row.name], row.metrics[metric], *bounds, beaten))
    return made


def _is_beaten(found: Comparison, name: str, costs: Mapping[str, tuple[float, float]]) -> bool:
    """Whether another one is clearly better and not clearly dearer, or clearly cheaper and not shown to be worse.

    What overlaps is not clear: an order of medians that lie within each other's spread is noise.
    """
    others = [other for other in costs if other != name]
    return any(
        (_is_better(found, other, name) and not _is_cheaper(costs, name, other))
        or (_is_cheaper(costs, other, name) and not _is_better(found, name, other))
        for other in others
    )


def _is_cheaper(costs: Mapping[str, tuple[float, float]], a: str, b: str) -> bool:
    return costs[a][1] < costs[b][0]


def _is_better(found: Comparison, a: str, b: str) -> bool:
    """Whether the interval of the paired difference says so."""
    pair = next(p for p in found.pairs if {p.a, p.b} == {a, b} and p.metric == found.metrics[0])
    low, high = pair.interval
    return low > 0 if pair.b == a else high < 0
