"""Metrics as values that print as the field says them, computed by ir-measures (trec_eval)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol

from embassay.errors import UsageError
from embassay.evaluate.compare.statistics import bootstrap

DEFAULT_METRICS = ("nDCG@10", "R@100", "RR@10", "P@5", "AP@100")
Scores = Mapping[str, Mapping[str, float]]
"""Query id to document id to score."""


class Measure(Protocol):
    """What is used of a measure of ir-measures; it prints as its name."""

    params: Mapping[str, object]


def parse_metrics(names: Sequence[str]) -> list[Measure]:
    """Metrics by name. Raises UsageError for one that ir-measures does not know, or that grades do not suffice for."""
    return [_parsed(name) for name in names]


@cache
def _parsed(name: str) -> Measure:
    import ir_measures

    try:
        measure: Measure = ir_measures.parse_measure(name)
        cutoff = measure.params.get("cutoff", 1)
        if not isinstance(cutoff, int) or cutoff < 1:
            raise ValueError(f"a cutoff of {cutoff}")
        list(ir_measures.iter_calc([measure], {"q": {"a": 1, "b": 0}}, {"q": {"a": 2.0, "b": 1.0}}))
    except Exception as error:  # whatever the programs behind it say of a metric that is not for such data
        why = " ".join(str(error).split())[:80].replace("unexpected", "unknown")
        raise UsageError(
            f"the metric {name!r} cannot be computed ({why}).",
            remedy="Examples: nDCG@10, R@100, RR@10, P@5, AP@100, Success@3, Judged@10.",
        ) from error
    return measure


def canonical(names: Sequence[str]) -> tuple[str, ...]:
    """The names as ir-measures writes them, each once. Raises UsageError for an unknown one."""
    return tuple(dict.fromkeys(map(str, parse_metrics(names))))


def largest(name: str) -> float:
    """The most that a metric can be: 1, but for those that count documents or queries."""
    return math.inf if str(getattr(_parsed(name), "NAME", name)).startswith("Num") else 1.0


UNCUT = 1000
"""Documents ranked for a metric without a cutoff, as is usual for runs at TREC."""


def deepest(names: Sequence[str]) -> int:
    """How many documents of a ranking the metrics look at. Raises UsageError for an unknown one."""
    return max((int(str(measure.params.get("cutoff", UNCUT))) for measure in parse_metrics(names)), default=0)


def per_query(qrels: Mapping[str, Mapping[str, int]], run: Scores, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Query id to metric to value; a query without results scores 0."""
    import ir_measures

    measures = parse_metrics(names)
    values = {query: dict.fromkeys(map(str, measures), 0.0) for query in qrels}
    plain = {q: {d: max(grade, 0) for d, grade in judged.items()} for q, judged in qrels.items()}
    for metric in ir_measures.iter_calc(measures, plain, {q: dict(d) for q, d in run.items() if d}):
        values[metric.query_id][str(metric.measure)] = float(metric.value)
    return values


def intervals(values: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Metric to the interval of 95 % of its mean: bootstrap over the queries."""
    import numpy as np

    rows = list(values.values())
    if not rows:
        return {}
    names = list(rows[0])
    low, high = bootstrap(np.array([[row[name] for name in names] for row in rows]))
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(names)}


def mean(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Metric to its mean over all judged queries."""
    rows = list(values.values())
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}
