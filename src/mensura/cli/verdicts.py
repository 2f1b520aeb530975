"""Comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mensura.cli import common
from mensura.evaluate.compare import short_names
from mensura.evaluate.verdict import TOP

if TYPE_CHECKING:
    from rich.table import Table

    from mensura.evaluate.agreement import Agreement
    from mensura.evaluate.compare import Comparison, Row

COLOURS = {"switch": "green", "keep": "cyan", "undecided": "yellow"}
SHOWN_CHANGES, SHOWN_HITS = 3, 3


def show(found: Comparison) -> None:
    """Scores and costs of every candidate, the statistics, the verdict, and examples."""
    from rich.text import Text

    out = common.console()
    judged = found.judged
    out.print(
        f"[bold]{judged.name}[/bold] · {len(judged.queries):,} queries"
        + (f", {common.count(len(judged.documents), 'document')}" if judged.documents else "")
    )
    out.print(_candidates(found))
    for row in found.rows:
        if row.error:
            out.print(f"{row.name} failed: {row.error}", markup=False, style="yellow")
    if found.deciding:
        out.print(_pairs(found))
    line = Text(f"{found.headline}. ", f"bold {COLOURS[found.verdict]}")
    out.print(line.append(found.sentence, "not bold default"))
    _show_changes(found)


def _candidates(found: Comparison) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("candidate", overflow="fold")
    for name in (*found.metrics, f"top {TOP}", "p50 ms", "p95 ms", "texts/s", "a million", "$/M tok.", "cut"):
        table.add_column(name, justify="right", no_wrap=True)
    best = {m: max((r.metrics.get(m, 0.0) for r in found.rows), default=0.0) for m in found.metrics}
    short = short_names([row.name for row in found.rows])
    for row in found.rows:
        if row.error:
            table.add_row(short[row.name], "failed")
            continue
        scores = (f"[bold]{v:.4f}[/bold]" if v == best[m] else f"{v:.4f}" for m, v in row.metrics.items())
        table.add_row(short[row.name], *scores, *_costs(row))
    return table


def _costs(row: Row) -> tuple[str, ...]:
    costs = row.costs
    assert costs is not None
    latency: Mapping[str, Any] = costs.latency_ms
    return (
        f"{row.top3:.0%}",
        f"{latency['p50']:.1f}",
        f"{latency['p95']:.1f}",
        "" if costs.texts_per_second is None else f"{costs.texts_per_second:,.0f}",
        common.size(costs.bytes_per_million),
        common.dollars(costs.usd_per_million_tokens),
        "" if costs.truncated is None else f"{costs.truncated:.0%}",
    )


def _pairs(found: Comparison) -> Table:
    from rich import box
    from rich.table import Table

    short = short_names([row.name for row in found.rows])
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"{found.metrics[0]} against {short[found.rows[0].name]}",
        title_justify="left",
        title_style="bold",
    )
    for name in ("candidate", "difference", "95 % interval", "p (Holm)", "wins", "ties", "losses", "verdict", "why"):
        table.add_column(name, justify="left" if name in ("candidate", "verdict", "why") else "right")
    for pair in found.deciding:
        low, high = pair.interval
        table.add_row(
            short[pair.b], f"{pair.difference:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{pair.p:.4f}", f"{pair.wins:,}",
            f"{pair.ties:,}", f"{pair.losses:,}", f"[{COLOURS[pair.verdict]}]{pair.verdict}[/]", pair.reason,
        )  # fmt: skip
    return table


def _show_changes(found: Comparison) -> None:
    from rich.text import Text

    pair = found.foremost
    changes = found.changed(pair, SHOWN_CHANGES) if pair else []
    if pair is None or not changes:
        return
    out = common.console()
    short = short_names([row.name for row in found.rows])
    out.print(f"\n[bold]Queries that changed most[/bold], {short[pair.a]} → {short[pair.b]}")
    for change in changes:
        relevant = found.judged.relevant(change.query)
        out.print(Text(f"\n{change.text}", "bold").append(f"   {change.a:.2f} → {change.b:.2f}", "not bold"))
        for name, hits in ((pair.a, change.hits_a), (pair.b, change.hits_b)):
            out.print(_hits(short[name], hits, relevant, found))


def _hits(name: str, hits: Sequence[str], relevant: set[str], found: Comparison) -> Any:
    from rich.text import Text

    line = Text(f"  {name}", "dim")
    for place, hit in enumerate(hits[:SHOWN_HITS], 1):
        title = found.title(hit)
        mark = "✓ " if hit in relevant else ""
        line.append(f"\n    {place} {mark}{title[:90]}", "green" if hit in relevant else "not dim")
    behind = next((at for at, hit in enumerate(hits, 1) if hit in relevant and at > SHOWN_HITS), None)
    if behind:
        line.append(f"\n    the first relevant one is number {behind}", "dim")
    elif not any(hit in relevant for hit in hits):
        line.append(f"\n    none of the first {len(hits)} is relevant", "dim")
    return line


def show_agreement(found: Agreement) -> None:
    """Where two sets answer alike."""
    from rich import box
    from rich.table import Table

    out = common.console()
    out.print(f"{found.queries:,} saved queries without judgments", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("set", "space", "p50 ms", "p95 ms", "a million"):
        table.add_column(name, justify="left" if name in ("set", "space") else "right")
    for name, outcome in zip((found.a, found.b), found.outcomes, strict=True):
        latency = outcome.costs.latency_ms
        size = common.size(outcome.costs.bytes_per_million)
        table.add_row(name, outcome.space, f"{latency['p50']:.1f}", f"{latency['p95']:.1f}", size)
    out.print(table)
    out.print(
        f"They share {found.overlap:.0%} of their first ten hits; the first hit is the same for {found.same_first:.0%}."
    )
    for differing in found.differing[:SHOWN_CHANGES]:
        out.print(f"\n{differing.text}", style="bold", markup=False)
        for name, hits in ((found.a, differing.hits_a), (found.b, differing.hits_b)):
            out.print(f"  {name}: {', '.join(hits[:SHOWN_HITS])}", markup=False, style="dim")
    out.print(
        f"\n[bold {COLOURS['undecided']}]UNDECIDED[/] nobody has judged these queries. Say which answers are right "
        "(mensura judge add, or relevant_docs in a .jsonl file) and compare again."
    )
