"""Parts of the queries, and altered queries, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from embassay.cli.tables import table, text
from embassay.evaluate.compare.verdict import MIN_QUERIES
from embassay.text import printable, short_names

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from embassay.evaluate.compare.result import Comparison
    from embassay.evaluate.compare.slices import Slice

COLOURS = {"better": "green", "worse": "red", "undecided": "yellow", "too few": "dim"}
NAMED = 6
"""Slices with too few queries that are named."""


def show_origins(out: Console, found: Comparison) -> None:
    """What people asked beside what was made up, where there is both."""
    if found.origins:
        _show(out, found, "By who asked the queries", found.origins)


def show_slices(out: Console, found: Comparison) -> None:
    """The slices that were asked for, those that have too few queries in a line below."""
    for by, those in groupby(found.slices, key=lambda one: one.by):
        parts = list(those)
        _show(out, found, f"By {by}", [one for one in parts if one.says != "too few"])
        few = list(dict.fromkeys(f"{one.value} ({one.queries})" for one in parts if one.says == "too few"))
        if few:
            more = f" and {len(few) - NAMED:,} more" if len(few) > NAMED else ""
            named = printable(", ".join(few[:NAMED]))
            out.print(text(f"Too few queries to decide, {MIN_QUERIES} are the least: {named}{more}.", "dim"))


def show_robustness(out: Console, found: Comparison) -> None:
    """What each candidate loses on altered queries."""
    if not found.robustness:
        return
    short = short_names([row.name for row in found.rows])
    metric = found.metrics[0]
    rows = [
        [
            f"{short[one.candidate]}, {one.alteration}",
            f"{one.queries:,}",
            f"{one.clean:.4f}",
            f"{one.altered:.4f}",
            f"{one.drop:+.4f}",
            _interval(one.interval),
        ]
        for one in found.robustness
    ]
    out.print(text(f"{metric} on altered queries, against the same queries as they were written", "bold"))
    out.print(table(("candidate", "queries", "written", "altered", "drop", "95 % interval"), rows))


def _show(out: Console, found: Comparison, title: str, parts: Sequence[Slice]) -> None:
    if not parts:
        return
    short = short_names([row.name for row in found.rows])
    several = len({one.b for one in parts}) > 1
    out.print(text(title, "bold").append(f", {parts[0].metric} against {short[parts[0].a]}", "not bold"))
    out.print(
        table(
            ("slice", "queries", "difference", "95 % interval", "p", "says"),
            _rows(parts, short if several else {}),
            left=("says",),
        )
    )


def _rows(parts: Iterable[Slice], named: dict[str, str]) -> list[list[str | Text]]:
    return [
        [
            f"{one.value}, {named[one.b]}" if named else one.value,
            f"{one.queries:,}",
            f"{one.difference:+.4f}",
            _interval(one.interval),
            "" if one.p is None else f"{one.p:.4f}",
            text(one.says, COLOURS[one.says]),
        ]
        for one in parts
    ]


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:+.4f} to {bounds[1]:+.4f}"
