"""Comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay.cli import common, slices, words
from embassay.cli.tables import WIDE, table, text
from embassay.evaluate.data.origins import listed
from embassay.text import printable, short_names

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from embassay.evaluate.compare.agreement import Agreement
    from embassay.evaluate.compare.result import Comparison
    from embassay.evaluate.compare.rows import Row

COLOURS = {"switch": "green", "keep": "cyan", "undecided": "yellow"}
SHOWN_CHANGES, SHOWN_HITS = 3, 3


def show(found: Comparison, judged: Path | None = None) -> None:
    """Scores and costs of every candidate, the statistics, the verdict with what it rests on, and examples.

    `judged` is the folder of the judged set, for commands that go on with it.
    """
    out = common.console()
    documents = len(found.judged.documents)
    counts = f" · {found.basis.words}" + (f", {words.count(documents, 'document')}" if documents else "")
    out.print(text(found.judged.name, "bold").append(counts, "not bold"))
    if found.basis.left_out:
        rest = sum(found.basis.left_out.values())
        beside = f"{words.count(rest, 'made-up query', 'made-up queries')} ({listed(found.basis.left_out)})"
        out.print(text(f"{beside} are asked as well, and decide nothing.", "dim"))
    _show_candidates(out, found)
    for row in found.rows:
        if row.error:
            out.print(text(f"{row.name} failed: {row.error}", "yellow"))
        if row.costs and row.costs.reranking:
            out.print(text(f"{row.name} is {row.costs.reranking}", "dim"))
        if row.better_arm:
            out.print(text(f"{row.name}: {row.better_arm}.", "yellow"))
    if found.deciding:
        _show_pairs(out, found)
    slices.show_origins(out, found)
    slices.show_slices(out, found)
    slices.show_robustness(out, found)
    line = text(f"{found.headline}. ", f"bold {COLOURS[found.verdict]}")
    out.print(line.append(found.sentence, "not bold default"))
    if found.caution:
        out.print(text(found.caution, "yellow"))
        out.print(found.next(str(judged) if judged else "JUDGED").in_shell(), markup=False, highlight=False)
    _show_changes(out, found)


def show_agreement(found: Agreement) -> None:
    """Where two sets answer alike."""
    out = common.console()
    out.print(text(f"{found.queries:,} saved queries without judgments", "bold"))
    rows = []
    for name, outcome in zip((found.a, found.b), found.outcomes, strict=True):
        latency, size = outcome.costs.latency_ms, words.size(outcome.costs.bytes_per_million)
        rows.append([name, outcome.space, f"{latency['p50']:.1f}", f"{latency['p95']:.1f}", size])
    out.print(table(("set", "space", "p50 ms", "p95 ms", "a million"), rows, left=("space",)))
    same = f"the first hit is the same for {found.same_first:.0%}"
    out.print(f"They share {found.overlap:.0%} of their first ten hits; {same} of the queries.")
    for differing in found.differing[:SHOWN_CHANGES]:
        out.print(text(f"\n{printable(differing.text)}", "bold"))
        for name, hits in ((found.a, differing.only_a), (found.b, differing.only_b)):
            shown = ", ".join(map(printable, hits[:SHOWN_HITS])) or "nothing that the other lacks"
            out.print(text(f"  only {name}: {shown}", "dim"))
    line = text("\nUndecided. ", f"bold {COLOURS['undecided']}")
    advice = "Nobody has judged these queries. Say which answers are right, as relevant_docs in a .jsonl file."
    out.print(line.append(advice, "not bold default"))


def _show_candidates(out: Console, found: Comparison) -> None:
    short = short_names([row.name for row in found.rows])
    best = {m: max((r.metrics.get(m, 0.0) for r in found.rows), default=0.0) for m in found.metrics}
    scores: list[list[str | Text]] = []
    costs: list[list[str | Text]] = []
    for row in found.rows:
        name = short[row.name]
        if row.error:
            scores.append([name, "failed"])
            costs.append([name, "failed"])
            continue
        shown = [text(f"{v:.4f}", "bold" if v == best[m] else "") for m, v in row.metrics.items()]
        scores.append([name, *shown])
        costs.append([name, *_costs(row)])
    score_names = ("candidate", *found.metrics)
    cost_names = ("candidate", "p50 ms", "p95 ms", "texts/s", "a million", "$/M tok.", "cut")
    if out.width >= WIDE:
        joined = [first + second[1:] if len(second) > 2 else first for first, second in zip(scores, costs, strict=True)]
        out.print(table((*score_names, *cost_names[1:]), joined))
    else:
        out.print(table(score_names, scores))
        out.print(table(cost_names, costs))


def _costs(row: Row) -> list[str]:
    costs = row.costs
    assert costs is not None
    return [
        f"{costs.latency_ms['p50']:.1f}",
        f"{costs.latency_ms['p95']:.1f}",
        "" if costs.texts_per_second is None else f"{costs.texts_per_second:,.0f}",
        words.size(costs.bytes_per_million),
        words.dollars(costs.usd_per_million_tokens),
        "" if costs.truncated is None else words.share(costs.truncated),
    ]


def _show_pairs(out: Console, found: Comparison) -> None:
    short = short_names([row.name for row in found.rows])
    wide = out.width >= WIDE
    rows: list[list[Any]] = []
    for pair in found.deciding:
        low, high = pair.interval
        counts = f"{pair.wins}/{pair.ties}/{pair.losses}"
        verdict = text(pair.verdict, COLOURS[pair.verdict])
        cells = [
            short[pair.b],
            f"{pair.difference:+.4f}",
            f"{low:+.4f} to {high:+.4f}",
            f"{pair.p:.4f}",
            counts,
            verdict,
        ]
        rows.append([*cells, *([pair.reason] if wide else [])])
    names = (
        "candidate",
        "difference",
        "95 % interval",
        "p",
        "win/tie/lose",
        "verdict",
        *(("why",) if wide else ()),
    )
    out.print(text(f"{found.metrics[0]} against {short[found.rows[0].name]}", "bold"))
    out.print(table(names, rows, left=("verdict",), wrap=("why",)))
    for pair in () if wide or len(found.deciding) == 1 else found.deciding:
        out.print(text(f"{short[pair.b]}: {pair.reason}", "dim"))


def _show_changes(out: Console, found: Comparison) -> None:
    pair = found.foremost
    changes = found.changed(pair, SHOWN_CHANGES) if pair else []
    if pair is None or not changes:
        return
    short = short_names([row.name for row in found.rows])
    out.print(text("\nQueries that changed most", "bold").append(f", {short[pair.a]} → {short[pair.b]}", "not bold"))
    for change in changes:
        relevant = found.judged.relevant(change.query)
        head = text(f"\n{printable(change.text)}", "bold")
        out.print(head.append(f"   {change.a:.2f} → {change.b:.2f}", "not bold"))
        for name, hits in ((pair.a, change.hits_a), (pair.b, change.hits_b)):
            out.print(text(f"  {short[name]}", "dim"))
            for line, style in _hits(hits, relevant, found):
                out.print(text(f"    {line}", style), no_wrap=True, overflow="ellipsis", crop=False)


def _hits(hits: Sequence[str], relevant: set[str], found: Comparison) -> Iterable[tuple[str, str]]:
    """(line, style) of the first hits, and of where the first relevant one is."""
    for place, hit in enumerate(hits[:SHOWN_HITS], 1):
        mark = "✓ " if hit in relevant else ""
        yield f"{place} {mark}{printable(found.title(hit))}", "green" if hit in relevant else ""
    behind = next((at for at, hit in enumerate(hits, 1) if hit in relevant and at > SHOWN_HITS), None)
    if behind:
        yield f"the first relevant one is number {behind}", "dim"
    elif not any(hit in relevant for hit in hits):
        yield f"none of the first {len(hits)} is relevant", "dim"
