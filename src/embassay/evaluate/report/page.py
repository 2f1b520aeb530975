"""A comparison as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embassay.evaluate.compare.result import CHANGED, Comparison
from embassay.evaluate.compare.rows import Changed, Row
from embassay.evaluate.compare.statistics import RESAMPLES
from embassay.evaluate.compare.systems import SHOWN
from embassay.evaluate.data.origins import listed
from embassay.evaluate.report.charts import Interval, intervals, per_query, scatter
from embassay.evaluate.report.costs import latency, points, storage
from embassay.evaluate.report.drawing import figure
from embassay.evaluate.report.template import filled
from embassay.files import write_whole
from embassay.text import short_names, size

IN_FULL = 500
"""Changed queries whose hits are shown; of more, which only very large sets have, the scores are listed."""
FIRST = 5
"""Hits of each candidate that are shown for a query which is not among the first ones."""


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    below: str = ""
    """Shown smaller, on a line of its own."""
    best: bool = False


@dataclass(frozen=True, slots=True)
class _Hit:
    text: str
    relevant: bool


@dataclass(frozen=True, slots=True)
class _Example:
    """A query with what answers it and what each candidate found."""

    text: str
    scores: Sequence[float]
    answers: Sequence[str]
    found: Sequence[tuple[str, Sequence[_Hit], str]]
    """Of each candidate its name, its first hits, and where the first right one is if that is not among them."""


def write_report(found: Comparison, file: Path) -> None:
    """Write the page of a comparison to `file`. Raises HomeNotWritable."""
    write_whole(file, render(found))


def render(found: Comparison) -> str:
    """The page as HTML."""
    short = short_names([row.name for row in found.rows])
    values: dict[str, object] = {
        "found": found,
        "left_out": listed(found.basis.left_out),
        "judged": found.judged,
        "metrics": found.metrics,
        "rows": found.rows,
        "table": _table(found),
        "short": short,
        "foremost": found.foremost,
        "resamples": RESAMPLES,
    }
    if found.foremost:
        values |= {**_charts(found, short), **_examples(found, short)}
    return filled("embassay.evaluate.report", "page.html", values)


def _charts(found: Comparison, short: Mapping[str, str]) -> dict[str, str]:
    pair = found.foremost
    assert pair is not None
    a, b = found.row(pair.a), found.row(pair.b)
    metric = found.metrics[0]
    rows = [Interval(short[p.b], p.difference, *p.interval, p.verdict) for p in found.deciding]
    every = [
        Interval(p.metric, p.difference, *p.interval, _tone(p.interval))
        for p in found.pairs
        if (p.a, p.b) == (pair.a, pair.b)
    ]
    gaps = [(found.judged.queries[q], b.per_query[q][metric] - a.per_query[q][metric]) for q in found.basis.queries]
    return {
        "interval_chart": intervals(rows, min_effect=found.min_effect),
        "metric_chart": intervals(every),
        "query_chart": per_query(gaps),
        "latency_chart": scatter(
            points(found, short, latency), "latency of a query, ms: median, and a line to p95", metric, figure
        ),
        "storage_chart": scatter(points(found, short, storage), "vectors of a million chunks", metric, size),
    }


def _examples(found: Comparison, short: Mapping[str, str]) -> dict[str, object]:
    """Every query that changed, the most changed ones with more hits, and the hardest queries."""
    pair = found.foremost
    assert pair is not None
    both = [found.row(pair.a), found.row(pair.b)]
    changed = found.changed(pair, None)
    done = [row for row in found.rows if not row.error]
    return {
        "changed": [_changed(found, both, short, change, SHOWN) for change in changed[:CHANGED]],
        "others": [_changed(found, both, short, change, FIRST) for change in changed[CHANGED:IN_FULL]],
        "further": changed[IN_FULL:],
        "hardest": [
            _example(found, done, short, query, [row.per_query[query][found.metrics[0]] for row in done], FIRST)
            for query, _ in found.hardest()
        ],
    }


def _changed(found: Comparison, rows: Sequence[Row], short: Mapping[str, str], change: Changed, count: int) -> _Example:
    return _example(found, rows, short, change.query, [change.a, change.b], count)


def _example(
    found: Comparison, rows: Sequence[Row], short: Mapping[str, str], query: str, scores: Sequence[float], count: int
) -> _Example:
    right = found.judged.relevant(query)
    lists = []
    for row in rows:
        assert row.outcome is not None
        ranked = row.outcome.run.rankings[query]
        hits = [_Hit(found.title(hit), hit in right) for hit in ranked[:count]]
        lists.append((short[row.name], hits, "" if any(hit.relevant for hit in hits) else _place(ranked, right)))
    answers = [found.title(name) for name in sorted(right)[:FIRST]]
    if len(right) > FIRST:
        answers.append(f"and {len(right) - FIRST:,} more")
    return _Example(found.judged.queries[query], scores, answers, lists)


def _place(ranked: Sequence[str], right: set[str]) -> str:
    """Where the first right answer is, in words."""
    at = next((place for place, name in enumerate(ranked, 1) if name in right), None)
    return f"The first right one is number {at}." if at else f"None of the first {len(ranked):,} is right."


def _tone(interval: tuple[float, float]) -> str:
    return "switch" if interval[0] > 0 else "keep" if interval[1] < 0 else "undecided"


def _table(found: Comparison) -> Sequence[Mapping[str, object]]:
    best = {m: max((r.metrics.get(m, 0.0) for r in found.rows), default=0.0) for m in found.metrics}
    names = [*found.metrics, "p50 ms", "p95 ms", "texts/s", "a million", "$/M tokens", "cut"]
    return [
        {
            "name": row.name,
            "space": row.space,
            "pipeline": row.pipeline,
            "error": row.error,
            "cells": [] if row.error else list(zip(names, _cells(row, best), strict=True)),
        }
        for row in found.rows
    ]


def _cells(row: Row, best: Mapping[str, float]) -> list[_Cell]:
    costs = row.costs
    assert costs is not None
    price = costs.usd_per_million_tokens
    bounds = {name: f"{low:.3f} to {high:.3f}" for name, (low, high) in row.intervals.items()}
    return [
        *(_Cell(f"{value:.4f}", bounds[name], value == best[name]) for name, value in row.metrics.items()),
        _Cell(_ms(costs.latency_ms["p50"])),
        _Cell(_ms(costs.latency_ms["p95"])),
        _Cell("" if costs.texts_per_second is None else f"{costs.texts_per_second:,.0f}"),
        _Cell(size(costs.bytes_per_million)),
        _Cell("unknown" if price is None else f"{price:g}" if price else "free"),
        _Cell("" if costs.truncated is None else f"{costs.truncated:.1%}"),
    ]


def _ms(time: float | None) -> str:
    """Milliseconds with one decimal; nothing where no query was timed."""
    return "" if time is None else f"{time:.1f}"
