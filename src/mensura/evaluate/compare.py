"""Candidates on one judged set, side by side: scores, costs, paired statistics, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from mensura.errors import MensuraError, UsageError
from mensura.evaluate.judged import JudgedSet
from mensura.evaluate.metrics import canonical, deepest, mean, per_query
from mensura.evaluate.statistics import RESAMPLES, detectable, differences, holm
from mensura.evaluate.systems import SHOWN, Costs, Outcome, System
from mensura.evaluate.verdict import MIN_EFFECT, TOP, Budgets, Verdict, decide, plain_rule
from mensura.types import Document

METRICS = ("nDCG@10", "R@100", "RR@10")
"""The first one decides; the others are shown."""
LINE = 160
"""Characters of a document that stand for it."""
CHANGED, HARDEST = 10, 10
"""Queries listed, at most."""


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate: what it scored and what it takes, or why it failed."""

    name: str
    space: str = ""
    pipeline: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    costs: Costs | None = None
    top3: float | None = None
    """Share of queries with a relevant document among the first three."""
    error: str = ""
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    outcome: Outcome | None = None

    def to_dict(self, *, per_query: bool = False) -> dict[str, Any]:
        costs = self.costs
        plain = {
            "name": self.name,
            "space": self.space or None,
            "pipeline": self.pipeline or None,
            "metrics": dict(self.metrics),
            "top3": None if self.top3 is None else {"share": self.top3, "rule": plain_rule(self.top3)},
            "latency_ms": dict(costs.latency_ms) if costs else None,
            "texts_per_second": costs and _rounded(costs.texts_per_second),
            "tokens_per_second": costs and _rounded(costs.tokens_per_second),
            "bytes_per_million": costs and costs.bytes_per_million,
            "usd_per_million_tokens": costs and costs.usd_per_million_tokens,
            "truncated_share": costs and costs.truncated,
            "error": self.error,
        }
        return plain | ({"per_query": {q: dict(m) for q, m in self.per_query.items()}} if per_query else {})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates on one metric: B instead of A."""

    a: str
    b: str
    metric: str
    difference: float
    interval: tuple[float, float]
    p: float
    """Corrected by Holm for all pairs of this metric."""
    p_uncorrected: float
    deviation: float
    wins: int
    ties: int
    losses: int
    verdict: Verdict
    reason: str
    queries_needed: int | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "a": self.a, "b": self.b, "metric": self.metric, "difference": self.difference,
            "interval": list(self.interval), "p": self.p, "p_uncorrected": self.p_uncorrected,
            "deviation": self.deviation, "wins": self.wins, "ties": self.ties, "losses": self.losses,
            "verdict": self.verdict, "reason": self.reason, "queries_needed": self.queries_needed,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Changed:
    """A query that two candidates answer differently."""

    query: str
    text: str
    a: float
    b: float
    """The deciding metric under each."""
    hits_a: Sequence[str]
    hits_b: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        return {
            "query": self.query, "text": self.text, "a": self.a, "b": self.b,
            "hits_a": list(self.hits_a), "hits_b": list(self.hits_b),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that was found. Prints as tables, becomes an HTML report, or JSON."""

    judged: JudgedSet
    metrics: tuple[str, ...]
    rows: Sequence[Row]
    pairs: Sequence[Pair]
    verdict: Verdict
    winner: str | None
    """What to use: the candidate to switch to, or the first one to keep. None: undecided."""
    reason: str
    min_effect: float
    budgets: Budgets
    texts: Mapping[str, str] = field(default_factory=dict)
    """Ranked id to a line that shows it."""

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    @property
    def deciding(self) -> list[Pair]:
        """Every other candidate instead of the first one, on the metric that decides."""
        return [pair for pair in self.pairs if pair.metric == self.metrics[0] and pair.a == self.rows[0].name]

    @property
    def foremost(self) -> Pair | None:
        """The pair that people will ask about first: the winner's, else the one with the greatest gain."""
        chosen = [pair for pair in self.deciding if pair.b == self.winner] or self.deciding
        return max(chosen, key=lambda pair: pair.difference, default=None)

    @property
    def detectable(self) -> float | None:
        """The least true gain on the deciding metric that this set shows with 80 % power, for the foremost pair."""
        pair = self.foremost
        if pair is None:
            return None
        tests = sum(p.metric == self.metrics[0] for p in self.pairs)
        found = detectable(len(self.judged.queries), pair.deviation, tests=tests, min_effect=self.min_effect)
        return found if np.isfinite(found) else None

    @property
    def headline(self) -> str:
        """The verdict in three words."""
        name = short_names([row.name for row in self.rows]).get(self.winner or "", "")
        return {"switch": f"Switch to {name}", "keep": f"Keep {name}"}.get(self.verdict, "Undecided")

    @property
    def sentence(self) -> str:
        """Why, how many more queries would decide, and what this judged set is able to show."""
        parts = [f"{self.reason[:1].upper()}{self.reason[1:]}."]
        needed = [p.queries_needed for p in self.deciding if p.verdict == "undecided" and p.queries_needed]
        if self.verdict == "undecided" and needed:
            more = max(1, min(needed) - len(self.judged.queries))
            parts.append(f"About {more:,} more judged queries would decide, if the difference stays as it is.")
        if self.detectable is not None:
            parts.append(
                f"These {len(self.judged.queries):,} queries show a true difference of {self.detectable:.3f} "
                f"{self.metrics[0]} or more in 4 of 5 cases."
            )
        return " ".join(parts)

    def title(self, ranked: str) -> str:
        """What a ranked id stands for, in a line."""
        return self.texts.get(ranked) or ranked

    def changed(self, pair: Pair, count: int = CHANGED) -> list[Changed]:
        """The queries that changed most, with what each candidate found."""
        a, b = self.row(pair.a), self.row(pair.b)
        gap = {q: b.per_query[q][pair.metric] - a.per_query[q][pair.metric] for q in a.per_query}
        most = sorted((q for q in gap if abs(gap[q]) > 1e-9), key=lambda q: (-abs(gap[q]), q))[:count]
        return [
            Changed(
                q, self.judged.queries[q], a.per_query[q][pair.metric], b.per_query[q][pair.metric],
                _shown(a, q), _shown(b, q),
            )
            for q in most
        ]  # fmt: skip

    def hardest(self, count: int = HARDEST) -> list[tuple[str, float]]:
        """(query id, mean of the deciding metric over the candidates), lowest first."""
        done = [row for row in self.rows if not row.error]
        scores = {q: sum(row.per_query[q][self.metrics[0]] for row in done) / len(done) for q in self.judged.queries}
        return sorted(scores.items(), key=lambda item: (item[1], item[0]))[:count]

    def to_dict(self, *, per_query: bool = False) -> dict[str, Any]:
        pair = self.foremost
        return {
            "judged": self.judged.name,
            "digest": self.judged.digest,
            "queries": len(self.judged.queries),
            "documents": len(self.judged.documents),
            "candidates": [row.to_dict(per_query=per_query) for row in self.rows],
            "pairs": [p.to_dict() for p in self.pairs],
            "verdict": self.verdict,
            "winner": self.winner,
            "reason": self.reason,
            "min_effect": self.min_effect,
            "detectable_effect": self.detectable,
            "changed": [changed.to_dict() for changed in self.changed(pair)] if pair else [],
        }


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each name without its organisation, where all of them stay apart."""
    short = {name: name.rsplit("/", 1)[-1] for name in names}
    return short if len(set(short.values())) == len(short) else {name: name for name in names}


def compare(
    judged: JudgedSet,
    systems: Sequence[System],
    *,
    metrics: tuple[str, ...] = METRICS,
    min_effect: float = MIN_EFFECT,
    budgets: Budgets | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Run every system on `judged` and compare them; the first one is what is in use.

    A system that fails has its reason in its row and the others go on; what it embedded is in the cache, so that the
    next run goes on where it stopped. Raises UsageError for calls that make no sense.
    """
    names = [system.name for system in systems]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "name two different candidates or more.", remedy="mensura compare MODEL_A MODEL_B --judged DIR"
        )
    metrics = canonical(metrics)
    depth = max(SHOWN, deepest(metrics))
    budgets = budgets or Budgets()
    rows = [_row(system, judged, metrics, depth, advance) for system in systems]
    pairs = compare_scores(
        {row.name: row for row in rows if not row.error}, metrics, min_effect, budgets, resamples, seed
    )
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
    except UsageError:
        raise
    except MensuraError as error:
        return Row(system.name, error=str(error))
    top = f"Success@{TOP}"
    scores = per_query(judged.qrels, outcome.run.scored(), canonical((*metrics, top)))
    means = mean(scores)
    shown = {name: means[name] for name in metrics}
    return Row(
        system.name, outcome.space, str(outcome.pipeline), shown, outcome.costs, means[top], "", scores, outcome
    )  # fmt: skip


def compare_scores(
    rows: Mapping[str, Row], metrics: Sequence[str], min_effect: float, budgets: Budgets, resamples: int, seed: int
) -> list[Pair]:
    """Paired statistics of every two rows on every metric."""
    couples = list(combinations(rows, 2))
    if not couples:
        return []
    queries = list(next(iter(rows.values())).per_query)
    scores = np.array([[[rows[n].per_query[q][m] for m in metrics] for n in rows] for q in queries])
    at = {name: index for index, name in enumerate(rows)}
    columns = np.concatenate([scores[:, at[b]] - scores[:, at[a]] for a, b in couples], axis=1)
    seen = differences(columns, resamples=resamples, seed=seed)
    over = {name: budgets.exceeded(_budgeted(row)) for name, row in rows.items()}
    pairs = []
    for m, metric in enumerate(metrics):
        family = seen[m :: len(metrics)]
        corrected = holm([difference.p for difference in family])
        for (a, b), difference, p in zip(couples, family, corrected, strict=True):
            made = decide(difference, p, min_effect=min_effect, exceeded=over[b], tests=len(couples))
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


def _budgeted(row: Row) -> dict[str, float | None]:
    assert row.costs is not None
    return {
        "p95_ms": row.costs.latency_ms["p95"],
        "bytes_per_million": row.costs.bytes_per_million,
        "usd_per_million_tokens": row.costs.usd_per_million_tokens,
    }


def _shown(row: Row, query: str) -> list[str]:
    assert row.outcome is not None
    return list(row.outcome.run.rankings[query][:SHOWN])


def _line(document: Document) -> str:
    """Its id, where a person can read one, and how it begins."""
    start = " ".join(f"{document.title}: {document.text[:LINE]}".removeprefix(": ").split())[:LINE]
    return f"{document.id}  {start}" if "/" in document.id or "." in document.id else start


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
