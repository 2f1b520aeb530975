"""What a comparison found: rows, pairs, the verdict, and the queries that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embassay.errors import EmbassayError
from embassay.evaluate.compare.costs import Costs
from embassay.evaluate.compare.statistics import detectable
from embassay.evaluate.compare.systems import SHOWN, Outcome
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES, Budgets, Verdict, plain_rule
from embassay.evaluate.data.judged import JudgedSet
from embassay.text import short_names

DIFFERING = 5
"""Queries that have to differ for their deviation to be worth anything."""
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
    failure: EmbassayError | None = None
    """The error itself, where it is one of ours."""

    def to_dict(self, *, per_query: bool = False) -> dict[str, object]:
        """The row as the JSON output has it; with `per_query` the scores of every query stand in it."""
        costs = self.costs
        plain: dict[str, object] = {
            "name": self.name,
            "space": self.space or None,
            "space_digest": self.outcome.space_digest if self.outcome else None,
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
        if per_query:
            plain["per_query"] = {q: {m: v[m] for m in self.metrics} for q, v in self.per_query.items()}
        return plain


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates on one metric, and what the statistics say of taking B instead of A."""

    a: str
    b: str
    metric: str
    difference: float
    interval: tuple[float, float]
    p: float
    """Corrected by Holm: for the comparisons with the first candidate, or for those among the others."""
    p_uncorrected: float
    deviation: float
    wins: int
    ties: int
    losses: int
    verdict: Verdict
    reason: str
    queries_needed: int | None

    def to_dict(self) -> dict[str, object]:
        """The pair as the JSON output has it."""
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

    def to_dict(self) -> dict[str, object]:
        """The query as the JSON output has it."""
        return {
            "query": self.query, "text": self.text, "a": self.a, "b": self.b,
            "hits_a": list(self.hits_a), "hits_b": list(self.hits_b),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """All that a comparison found: scores and costs of every candidate, every pair, and the verdict."""

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

    def __repr__(self) -> str:
        return f"<Comparison on {self.judged.name}: {self.headline}>"

    def row(self, name: str) -> Row:
        """The row of the candidate of this name."""
        return next(row for row in self.rows if row.name == name)

    @property
    def deciding(self) -> list[Pair]:
        """The pairs that decide: every other candidate instead of the first one, on the first metric."""
        return [pair for pair in self.pairs if pair.metric == self.metrics[0] and pair.a == self.rows[0].name]

    @property
    def foremost(self) -> Pair | None:
        """The pair that people will ask about first: the winner's, else the one with the greatest gain."""
        chosen = [pair for pair in self.deciding if pair.verdict == self.verdict] or self.deciding
        return max(chosen, key=lambda pair: pair.difference, default=None)

    @property
    def detectable(self) -> float | None:
        """The least true gain on the deciding metric that this set shows with 80 % power, for the foremost pair.

        None where nothing can be said: too few queries, or too few that differ to know their deviation.
        """
        pair, queries = self.foremost, len(self.judged.queries)
        if pair is None or queries < MIN_QUERIES or pair.wins + pair.losses < DIFFERING:
            return None
        found = detectable(queries, pair.deviation, tests=len(self.deciding), min_effect=self.min_effect)
        return found if found <= 1 else None

    @property
    def headline(self) -> str:
        """The verdict in three words."""
        name = short_names([row.name for row in self.rows]).get(self.winner or "", "")
        return {"switch": f"Switch to {name}", "keep": f"Keep {name}"}.get(self.verdict, "Undecided")

    @property
    def sentence(self) -> str:
        """Why, how many more queries would decide, and what this judged set is able to show."""
        short = short_names([row.name for row in self.rows])
        named = any(self.reason.startswith(row.name) for row in self.rows)
        parts = [f"{self.reason if named else self.reason[:1].upper() + self.reason[1:]}."]
        first = self.rows[0]
        broken = [] if first.error else self.budgets.exceeded(budgeted(first))
        if broken:
            parts.append(f"{short[first.name]} breaks a budget itself: {'; '.join(broken)}.")
        pair = self.foremost
        if self.verdict == "undecided" and pair and pair.queries_needed:
            parts.append(self._outlook(pair, max(1, pair.queries_needed - len(self.judged.queries))))
        rivals = [p.b for p in self.deciding if p.verdict == "switch" and pair and p.b != pair.b]
        alike = [name for name in rivals if self._are_alike(name, self.winner)]
        if alike:
            parts.append(f"Not told apart from {', '.join(short[name] for name in alike)}.")
        if self.detectable is not None:
            parts.append(
                f"These {len(self.judged.queries):,} queries show a true difference of {self.detectable:.3f} "
                f"{self.metrics[0]} or more in 4 of 5 cases."
            )
        return " ".join(parts)

    def _outlook(self, pair: Pair, more: int) -> str:
        """What `more` judged queries would show, if they are like those that there are."""
        if pair.wins or pair.losses:
            return f"About {more:,} more judged queries would decide, if the difference stays as it is."
        gain = f"a gain of {max(self.min_effect, MIN_EFFECT):g} would be ruled out"
        return f"No query tells them apart. If {more:,} more do not either, {gain}; until then, their costs may decide."

    def _are_alike(self, a: str, b: str | None) -> bool:
        """Whether the deciding metric does not tell two candidates apart."""
        pairs = [p for p in self.pairs if {p.a, p.b} == {a, b} and p.metric == self.metrics[0]]
        return any(p.interval[0] <= 0 <= p.interval[1] for p in pairs)

    def title(self, ranked: str) -> str:
        """A line that shows a person what a ranked id stands for."""
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

    def to_dict(self, *, per_query: bool = False) -> dict[str, object]:
        """The comparison as the JSON output has it; with `per_query` the scores of every query stand in it."""
        pair = self.foremost
        return {
            "judged": self.judged.name,
            "digest": self.judged.digest,
            "queries": len(self.judged.queries),
            "documents": len(self.judged.documents) or None,
            "candidates": [row.to_dict(per_query=per_query) for row in self.rows],
            "pairs": [p.to_dict() for p in self.pairs],
            "verdict": self.verdict,
            "winner": self.winner,
            "reason": self.reason,
            "min_effect": self.min_effect,
            "detectable_effect": self.detectable,
            "changed": [changed.to_dict() for changed in self.changed(pair)] if pair else [],
        }


def budgeted(row: Row) -> dict[str, float | None]:
    """The costs of a row by the names of the budgets that they are held against."""
    assert row.costs is not None
    return {
        "p95_ms": row.costs.latency_ms["p95"],
        "bytes_per_million": row.costs.bytes_per_million,
        "usd_per_million_tokens": row.costs.usd_per_million_tokens,
    }


def _shown(row: Row, query: str) -> list[str]:
    assert row.outcome is not None
    return list(row.outcome.run.rankings[query][:SHOWN])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
