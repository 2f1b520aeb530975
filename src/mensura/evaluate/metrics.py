"""Metrics as values that print as the field says them, computed by ir-measures (trec_eval)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mensura.errors import UsageError

DEFAULT_METRICS = ("nDCG@10", "R@100", "RR@10", "P@5", "AP@100")
Scores = Mapping[str, Mapping[str, float]]
"""Query id to document id to score."""


def parse_metrics(names: Sequence[str]) -> list[Any]:
    """Raises UsageError for a name that ir-measures does not know."""
    import ir_measures

    try:
        return [ir_measures.parse_measure(name) for name in names]
    except (NameError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"a metric of {', '.join(names)} is unknown ({error}).", remedy="Examples: nDCG@10, R@100."
        ) from error


def canonical(names: Sequence[str]) -> tuple[str, ...]:
    """As ir-measures writes them, each once. Raises UsageError for an unknown one."""
    return tuple(dict.fromkeys(map(str, parse_metrics(names))))


UNCUT = 1000
"""Documents ranked for a metric without a cutoff, as is usual for runs at TREC."""


def deepest(names: Sequence[str]) -> int:
    """How many documents the metrics look at. Raises UsageError for an unknown one."""
    return max((int(measure.params.get("cutoff", UNCUT)) for measure in parse_metrics(names)), default=0)


def per_query(qrels: Mapping[str, Mapping[str, int]], run: Scores, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Query id to metric to value; a query without results scores 0."""
    import ir_measures

    measures = parse_metrics(names)
    values = {query: dict.fromkeys(map(str, measures), 0.0) for query in qrels}
    plain = {q: dict(d) for q, d in qrels.items()}
    for metric in ir_measures.iter_calc(measures, plain, {q: dict(d) for q, d in run.items() if d}):
        values[metric.query_id][str(metric.measure)] = float(metric.value)
    return values


def mean(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Metric to its mean over all judged queries."""
    rows = list(values.values())
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}
