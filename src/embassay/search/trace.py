"""What happened while a pipeline ran: one line for each stage, and what the person who asked should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.search.second import Cascaded


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


@dataclass(slots=True)
class Trace:
    """Grows while a pipeline runs."""

    steps: list[TraceStep] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What the caller should know: a query cut at the token limit, a stage that could not run."""
    cascade: Cascaded | None = None
    """How candidates were scored in a second space, where they were."""
