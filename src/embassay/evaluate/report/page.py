"""A comparison as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.evaluate.compare.result import Comparison
from embassay.evaluate.compare.rows import Row
from embassay.evaluate.compare.statistics import RESAMPLES
from embassay.evaluate.report.charts import Interval, Point, intervals, per_query, scatter
from embassay.files import write_whole
from embassay.text import printable, short_names

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    best: bool = False
    title: str = ""


def write_report(found: Comparison, file: Path) -> None:
    """Write the page of a comparison to `file`. Raises HomeNotWritable."""
    write_whole(file, render(found))


def render(found: Comparison) -> str:
    """The page as HTML.

    Whatever comes from documents, queries or services is escaped by the template, and loses the characters that would
    hide in the page or turn its direction.
    """
    short = short_names([row.name for row in found.rows])
    pair = found.foremost
    changed = found.changed(pair) if pair else []
    values: dict[str, object] = {
        "verdict": found.verdict,
        "headline": found.headline,
        "sentence": found.sentence,
        "judged": found.judged,
        "metrics": found.metrics,
        "rows": found.rows,
        "table": _table(found),
        "short": short,
        "deciding": found.deciding,
        "foremost": pair,
        "min_effect": found.min_effect,
        "resamples": RESAMPLES,
        "changed": changed,
        "relevant": {c.query: found.judged.relevant(c.query) for c in changed},
        "titles": {hit: found.title(hit) for c in changed for hit in (*c.hits_a, *c.hits_b)},
        "made": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        **_environment(),
    }
    if pair:
        values |= {"hardest": found.hardest(), **_charts(found, short)}
    return printable(_template().render(values), lines=True)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined)
    return environment.from_string((files("embassay.evaluate.report") / "page.html").read_text("utf-8"))


def _environment() -> dict[str, str]:
    from importlib.metadata import version

    from embassay.evaluate.speed.machine import processor

    return {"version": version("embassay"), "machine": processor()}


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
    gaps = [
        (text, b.per_query[q][metric] - a.per_query[q][metric])
        for q in found.basis.queries
        for text in [found.judged.queries[q]]
    ]
    done = [(row, row.costs) for row in found.rows if row.costs]
    latency = [
        Point(short[row.name], p95, row.metrics[metric])
        for row, costs in done
        if (p95 := costs.latency_ms["p95"]) is not None
    ]
    storage = [Point(short[row.name], costs.bytes_per_million / 1e6, row.metrics[metric]) for row, costs in done]
    return {
        "interval_chart": intervals(rows, min_effect=found.min_effect),
        "metric_chart": intervals(every),
        "query_chart": per_query(gaps),
        "latency_chart": scatter(latency, "p95 latency of a query, ms", metric),
        "storage_chart": scatter(storage, "vectors of a million chunks, MB", metric),
    }


def _tone(interval: tuple[float, float]) -> str:
    return "switch" if interval[0] > 0 else "keep" if interval[1] < 0 else "undecided"


def _table(found: Comparison) -> Sequence[Mapping[str, object]]:
    best = {m: max((r.metrics.get(m, 0.0) for r in found.rows), default=0.0) for m in found.metrics}
    return [
        {
            "name": row.name,
            "space": row.space,
            "pipeline": row.pipeline,
            "error": row.error,
            "cells": [] if row.error else _cells(row, best),
        }
        for row in found.rows
    ]


def _cells(row: Row, best: Mapping[str, float]) -> list[_Cell]:
    costs = row.costs
    assert costs is not None
    price = costs.usd_per_million_tokens
    return [
        *(_Cell(f"{value:.4f}", value == best[name]) for name, value in row.metrics.items()),
        _Cell(_ms(costs.latency_ms["p50"])),
        _Cell(_ms(costs.latency_ms["p95"])),
        _Cell("" if costs.texts_per_second is None else f"{costs.texts_per_second:,.0f}"),
        _Cell(f"{costs.bytes_per_million / 1e6:,.0f} MB"),
        _Cell("unknown" if price is None else f"{price:g}" if price else "free"),
        _Cell("" if costs.truncated is None else f"{costs.truncated:.1%}"),
    ]


def _ms(time: float | None) -> str:
    """Milliseconds with one decimal; nothing where no query was timed."""
    return "" if time is None else f"{time:.1f}"
