"""What a comparison is made of: a row for each candidate, a pair for every two, and queries answered differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embassay.errors import EmbassayError
from embassay.evaluate.compare.alterations import clean
from embassay.evaluate.compare.costs import Costs
from embassay.evaluate.compare.statistics import wilson
from embassay.evaluate.compare.systems import Outcome
from embassay.evaluate.compare.verdict import Verdict
from embassay.evaluate.score.arms import BetterArm


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate: what it scored and what it takes, or why it failed."""

    name: str
    space: str = ""
    pipeline: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Means over the queries that decide."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of 95 %, of those means."""
    costs: Costs | None = None
    error: str = ""
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of every query that was asked."""
    outcome: Outcome | None = None
    better_arm: BetterArm | None = None
    """The arm that alone would have scored more, where there is one."""
    failure: EmbassayError | None = None
    """The error itself, where it is one of ours."""

    @property
    def finds_words(self) -> bool:
        """Whether an arm of it searches words."""
        return self.outcome is not None and any(not arm.dense for arm in self.outcome.pipeline.arms)

    def to_dict(self, *, per_query: bool = False) -> dict[str, object]:
        """The row as the JSON output has it; with `per_query` the scores of every query stand in it."""
        costs = self.costs
        plain: dict[str, object] = {
            "name": self.name,
            "space": self.space or None,
            "space_digest": self.outcome.space_digest if self.outcome else None,
            "pipeline": self.pipeline or None,
            "metrics": dict(self.metrics),
            "intervals": {name: [*bounds] for name, bounds in self.intervals.items()},
            "latency_ms": dict(costs.latency_ms) if costs else None,
            "texts_per_second": costs and _rounded(costs.texts_per_second),
            "tokens_per_second": costs and _rounded(costs.tokens_per_second),
            "bytes_per_million": costs and costs.bytes_per_million,
            "usd_per_million_tokens": costs and costs.usd_per_million_tokens,
            "truncated_share": costs and costs.truncated,
            "reranking": costs.reranking.to_dict() if costs and costs.reranking else None,
            "error": self.error,
        }
        if self.better_arm:
            plain["better_arm"] = self.better_arm.to_dict()
        if per_query:
            plain["per_query"] = {q: {m: self.per_query[q][m] for m in self.metrics} for q in clean(self.per_query)}
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

    @property
    def win_share(self) -> float | None:
        """The share of the queries that differ on which B wins; None where none does."""
        return self.wins / (self.wins + self.losses) if self.wins or self.losses else None

    @property
    def win_interval(self) -> tuple[float, float] | None:
        """The interval of Wilson of that share, 95 %."""
        return wilson(self.wins, self.wins + self.losses) if self.wins or self.losses else None

    def to_dict(self) -> dict[str, object]:
        """The pair as the JSON output has it."""
        return {
            "a": self.a, "b": self.b, "metric": self.metric, "difference": self.difference,
            "interval": list(self.interval), "p": self.p, "p_uncorrected": self.p_uncorrected,
            "deviation": self.deviation, "wins": self.wins, "ties": self.ties, "losses": self.losses,
            "win_share": self.win_share, "win_interval": self.win_interval and [*self.win_interval],
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


def budgeted(row: Row) -> dict[str, float | None]:
    """The costs of a row by the names of the budgets that they are held against."""
    assert row.costs is not None
    return {
        "p95_ms": row.costs.latency_ms["p95"],
        "bytes_per_million": row.costs.bytes_per_million,
        "usd_per_million_tokens": row.costs.usd_per_million_tokens,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
