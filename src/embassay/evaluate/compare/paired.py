"""Candidates on one judged set, side by side: scores, costs, paired statistics, and a verdict."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np

from embassay import remedy
from embassay.errors import EmbassayError, UsageError
from embassay.evaluate.compare.result import Comparison, Pair, Row, budgeted
from embassay.evaluate.compare.statistics import differences, holm
from embassay.evaluate.compare.systems import SHOWN, System
from embassay.evaluate.compare.verdict import MIN_EFFECT, TOP, Budgets, Verdict, decide
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.metrics import canonical, deepest, mean, per_query
from embassay.types import Document

METRICS = ("nDCG@10", "R@100", "RR@10")
"""The first one decides; the others are shown."""
LINE = 160
"""Characters of a document that stand for it."""


def compare_systems(
    judged: JudgedSet,
    systems: Sequence[System],
    *,
    metrics: tuple[str, ...] = METRICS,
    min_effect: float = MIN_EFFECT,
    budgets: Budgets | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Run every system on `judged` and compare them; the first one is what is in use.

    The first of `metrics` decides. `advance` is told how many texts have been embedded since it was last called. A
    system that fails has its reason in its row and the others go on; what it embedded is in the cache, so that the
    next run goes on where it stopped. Raises UsageError for fewer than two systems, systems of one name, unknown
    metrics, and a minimum effect that is no number or negative.
    """
    if not (math.isfinite(min_effect) and min_effect >= 0):
        raise UsageError(f"a minimum effect of {min_effect}: write a number that is not negative.")
    names = [system.name for system in systems]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "name two different candidates or more.",
            remedy=remedy.command("compare", "MODEL_A", "MODEL_B", judged="DIR"),
        )
    metrics = canonical(metrics)
    depth = max(SHOWN, deepest(metrics))
    budgets = budgets or Budgets()
    rows = [_row(system, judged, metrics, depth, advance) for system in systems]
    pairs = paired_differences({row.name: row for row in rows if not row.error}, metrics, min_effect, budgets)
    verdict, winner, reason = _overall(rows, pairs, metrics[0])
    texts = {d.id: _line(d) for d in judged.documents}
    for row in rows:
        texts |= row.outcome.texts if row.outcome else {}
    return Comparison(judged, metrics, rows, pairs, verdict, winner, reason, min_effect, budgets, texts)


def _row(
    system: System, judged: JudgedSet, metrics: tuple[str, ...], depth: int, advance: Callable[[int], None]
) -> Row:
    try:
        outcome = system.outcome(judged, depth, advance)
    except EmbassayError as error:
        return Row(system.name, error=str(error), failure=error)
    except Exception as error:  # a defect, which must not lose what the others have shown
        if os.environ.get("EMBASSAY_DEBUG"):
            raise
        return Row(system.name, error=f"unexpected {type(error).__name__}: {error} (EMBASSAY_DEBUG=1 shows where).")
    top = f"Success@{TOP}"
    scores = per_query(judged.qrels, outcome.run.scored(), canonical((*metrics, top)))
    means = mean(scores)
    shown = {name: means[name] for name in metrics}
    return Row(
        system.name, outcome.space, str(outcome.pipeline), shown, outcome.costs, means[top], "", scores, outcome
    )  # fmt: skip


def paired_differences(
    rows: Mapping[str, Row], metrics: Sequence[str], min_effect: float, budgets: Budgets
) -> list[Pair]:
    """The paired statistics and the verdict of every two rows on every metric, B instead of A.

    Holm's correction is made for the comparisons with the first row on their own, and for those among the others on
    their own.
    """
    couples = list(combinations(rows, 2))
    if not couples:
        return []
    queries = list(next(iter(rows.values())).per_query)
    scores = np.array([[[rows[n].per_query[q][m] for m in metrics] for n in rows] for q in queries])
    at = {name: index for index, name in enumerate(rows)}
    columns = np.concatenate([scores[:, at[b]] - scores[:, at[a]] for a, b in couples], axis=1)
    seen = differences(columns)
    over = {name: budgets.exceeded(budgeted(row)) for name, row in rows.items()}
    pairs = []
    first = next(iter(rows))
    for m, metric in enumerate(metrics):
        found = dict(zip(couples, seen[m :: len(metrics)], strict=True))
        families = [{c: d for c, d in found.items() if (c[0] == first) is with_first} for with_first in (True, False)]
        corrected = {c: p for f in families for c, p in zip(f, holm([d.p for d in f.values()]), strict=True)}
        for (a, b), difference in found.items():
            p, tests = corrected[a, b], len(families[0] if a == first else families[1])
            made = decide(difference, p, min_effect=min_effect, exceeded=over[b], tests=tests)
            pairs.append(
                Pair(
                    a, b, metric, difference.mean, (difference.low, difference.high), p, difference.p,
                    difference.deviation, difference.wins, difference.ties, difference.losses,
                    made.verdict, made.reason, made.queries_needed,
                )
            )  # fmt: skip
    return pairs


def _overall(rows: Sequence[Row], pairs: Sequence[Pair], metric: str) -> tuple[Verdict, str | None, str]:
    """Of all that could replace the first candidate, the best one that may."""
    first = rows[0]
    if first.error:
        return "undecided", None, f"{first.name}, the candidate to be replaced, failed"
    deciding = [pair for pair in pairs if pair.a == first.name and pair.metric == metric]
    better = [pair for pair in deciding if pair.verdict == "switch"]
    if better:
        best = max(better, key=lambda pair: pair.difference)
        return "switch", best.b, best.reason
    failed = [row.name for row in rows if row.error]
    open_pairs = [pair for pair in deciding if pair.verdict == "undecided"]
    if open_pairs:
        best = max(open_pairs, key=lambda pair: pair.difference)
        return "undecided", None, best.reason
    if failed:
        return "undecided", None, f"{', '.join(failed)} failed"
    return "keep", first.name, "; ".join(f"{pair.b}: {pair.reason}" for pair in deciding)


def _line(document: Document) -> str:
    """Its id, where a person can read one, and how it begins."""
    start = " ".join(f"{document.title}: {document.text[:LINE]}".removeprefix(": ").split())[:LINE]
    return f"{document.id}  {start}" if "/" in document.id or "." in document.id else start
