"""What happened while a pipeline ran: one line for each stage, and what the person who asked should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.types import NO_USAGE, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.search.second import Cascaded
    from embassay.search.spelling import Correction
    from embassay.space import Space


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One stage of a run."""

    stage: str
    """As it is written in the pipeline; ``fetch`` is the last step, which reads the chunks of the hits."""
    saw: int | None
    """Candidates that were handed in; None for an arm, which looks through the whole set."""
    kept: int
    """Candidates that were handed on."""
    ms: float
    """Milliseconds, with `model_ms`."""
    model_ms: float = 0.0
    """Of these, how long a model made vectors."""

    def to_dict(self) -> dict[str, object]:
        """The step as JSON has it; milliseconds are rounded to microseconds."""
        return {
            "stage": self.stage,
            "saw": self.saw,
            "kept": self.kept,
            "ms": round(self.ms, 3),
            "model_ms": round(self.model_ms, 3),
        }


@dataclass(frozen=True, slots=True)
class Reranking:
    """What a reranker did for one query."""

    model: str
    """By the name that the pipeline has for it; empty where the query was too easy to ask one."""
    scored: int = 0
    left: int = 0
    """Candidates that it was to score and did not: they kept their places."""
    hard: bool | None = None
    """Whether the query was a hard one; None where the pipeline makes no difference."""
    usage: Usage = NO_USAGE
    truncated: int = 0
    """Texts of which it read only the head."""

    def __str__(self) -> str:
        """In one line."""
        if not self.model:
            return "not reranked: the first hit stands out"
        usd = self.usage.usd
        money = f" for ${usd:.4f}" if usd else " at an unknown price" if usd is None else ""
        return (
            f"reranked by {self.model}: {self.scored:,} candidates scored, {self.usage.cached:,} of them before{money}"
        )

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON has them."""
        spent = {"requests": self.usage.requests, "tokens": self.usage.tokens, "usd": self.usage.usd}
        counts = {"scored": self.scored, "left": self.left, "cached": self.usage.cached, "truncated": self.truncated}
        return {"model": self.model or None, "hard": self.hard, **counts, "usage": spent}


@dataclass(slots=True)
class Trace:
    """Grows while a pipeline runs."""

    steps: list[TraceStep] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What the caller should know: a query cut at the token limit, a stage that could not run."""
    cascade: Cascaded | None = None
    """How candidates were scored in a second space, where they were."""
    reranked: list[Reranking] = field(default_factory=list)
    """What rerankers did, in the order of their stages."""
    spelling: Sequence[Correction] | None = None
    """What words of the query were read as; None where nobody looked."""
    query_space: Space | None = None
    """The space of the vector of the query, where another model made it than that of the set."""
