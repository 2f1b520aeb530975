"""Candidates on one judged set, side by side: scores, costs, paired statistics, and a verdict."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from embassay import remedy
from embassay.errors import EmbassayError, UsageError
from embassay.evaluate.compare.alterations import without_alterations
from embassay.evaluate.compare.basis import Basis, basis_of
from embassay.evaluate.compare.bias import FAIR, Bias, reversed_bias
from embassay.evaluate.compare.result import Comparison
from embassay.evaluate.compare.robustness import losses
from embassay.evaluate.compare.rows import Pair, Row, budgeted
from embassay.evaluate.compare.slices import by_origin, groups_by, slices_of
from embassay.evaluate.compare.statistics import differences, holm
from embassay.evaluate.compare.systems import SHOWN, System
from embassay.evaluate.compare.verdict import MIN_EFFECT, Budgets, Verdict, decide
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.arms import better_arm
from embassay.evaluate.score.metrics import canonical, deepest, intervals, mean, per_query
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
    sure: bool = False,
    budgets: Budgets | None = None,
    by: Sequence[str] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Run every system on `judged` and compare them; the first one is what is in use.

    The first of `metrics` decides; with `sure` the lower bound of a gain has to reach `min_effect`. `by` are the slices
    that are wanted besides (`groups_by`); altered queries (`with_alterations`) are held against the clean ones.
    `advance` is told how many texts have been embedded since it was last called. A system that fails has its reason in
    its row and the others go on; what it embedded is in the cache, so that the next run goes on where it stopped.
    Raises UsageError for fewer than two systems, systems of one name, unknown metrics and slices, and a minimum effect
    that is no number or negative.
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
    asked, judged = judged, without_alterations(judged)
    basis = basis_of(judged)
    groups = [group for name in by for group in groups_by(judged, name, _sliced(judged, basis, name))]
    rows = [_row(system, asked, basis, metrics, depth, advance) for system in systems]
    done = {row.name: row for row in rows if not row.error}
    pairs = paired_differences(done, metrics, basis.queries, SwitchTerms(min_effect, budgets, sure, basis.words_bias))
    verdict, winner, reason = _overall(rows, pairs, metrics[0])
    texts = {d.id: _line(d) for d in judged.documents}
    for row in rows:
        texts |= row.outcome.texts if row.outcome else {}
    return Comparison(
        judged, basis, metrics, rows, pairs, verdict, winner, reason, min_effect, budgets, sure, texts,
        origins=by_origin(judged, done, metrics[0]),
        slices=slices_of(done, metrics[0], groups) if len(done) > 1 and not rows[0].error else [],
        robustness=losses(rows, metrics[0], basis.queries),
    )  # fmt: skip


def _sliced(judged: JudgedSet, basis: Basis, by: str) -> Sequence[str]:
    """The queries that are sliced: those that decide, and all of them where what they come from is asked."""
    return list(judged.queries) if by == "source" else basis.queries


def _row(
    system: System,
    asked: JudgedSet,
    basis: Basis,
    metrics: tuple[str, ...],
    depth: int,
    advance: Callable[[int], None],
) -> Row:
    try:
        outcome = system.outcome(asked, depth, advance)
    except EmbassayError as error:
        return Row(system.name, error=str(error), failure=error)
    except Exception as error:  # a defect, which must not lose what the others have shown
        if os.environ.get("EMBASSAY_DEBUG"):
            raise
        return Row(system.name, error=f"unexpected {type(error).__name__}: {error} (EMBASSAY_DEBUG=1 shows where).")
    scores = per_query(asked.qrels, outcome.run.scored(), metrics)
    deciding = {query: scores[query] for query in basis.queries}
    means = mean(deciding)
    shown, bounds = {name: means[name] for name in metrics}, intervals(deciding)
    return Row(
        system.name, outcome.space, str(outcome.pipeline), shown, bounds, outcome.costs, "", scores, outcome,
        better_arm=better_arm(asked.qrels, outcome.run.arms, scores, metrics[0], basis.queries),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SwitchTerms:
    """What a candidate has to keep to be switched to."""

    min_effect: float
    budgets: Budgets
    sure: bool = False
    words_bias: Bias = FAIR
    """Least and most by which the queries favour a search by words: see `bias_of`."""

    def bias(self, a: Row, b: Row) -> Bias:
        """Least and most by which the queries favour B."""
        if a.finds_words == b.finds_words:
            return FAIR
        return self.words_bias if b.finds_words else reversed_bias(self.words_bias)


def paired_differences(
    rows: Mapping[str, Row], metrics: Sequence[str], queries: Sequence[str], terms: SwitchTerms
) -> list[Pair]:
    """The paired statistics and the verdict of every two rows on every metric over `queries`, B instead of A.

    Holm's correction is made for the comparisons with the first row on their own, and for those among the others on
    their own.
    """
    couples = list(combinations(rows, 2))
    if not couples:
        return []
    scores = np.array([[[rows[n].per_query[q][m] for m in metrics] for n in rows] for q in queries])
    at = {name: index for index, name in enumerate(rows)}
    columns = np.concatenate([scores[:, at[b]] - scores[:, at[a]] for a, b in couples], axis=1)
    seen = differences(columns)
    over = {name: terms.budgets.exceeded(budgeted(row)) for name, row in rows.items()}
    pairs = []
    first = next(iter(rows))
    for m, metric in enumerate(metrics):
        found = dict(zip(couples, seen[m :: len(metrics)], strict=True))
        families = [{c: d for c, d in found.items() if (c[0] == first) is with_first} for with_first in (True, False)]
        corrected = {c: p for f in families for c, p in zip(f, holm([d.p for d in f.values()]), strict=True)}
        for (a, b), difference in found.items():
            p, tests = corrected[a, b], len(families[0] if a == first else families[1])
            made = decide(
                difference, p, min_effect=terms.min_effect, sure=terms.sure, exceeded=over[b], tests=tests,
                bias=terms.bias(rows[a], rows[b]),
            )  # fmt: skip
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
