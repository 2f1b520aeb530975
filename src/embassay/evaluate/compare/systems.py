"""What can be compared: anything that ranks the documents of a judged set, and knows what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from embassay.evaluate.compare.costs import Costs
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.ranking import Run
from embassay.search.pipeline import Pipeline

SHOWN = 10
"""Hits of each query that are kept for people to look at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a candidate did with a judged set."""

    space: str
    pipeline: Pipeline
    run: Run
    costs: Costs
    texts: Mapping[str, str] = field(default_factory=dict)
    """Ranked id to a line that shows it, where the judged set does not have it."""
    space_digest: str = ""
    """Of the space: two that are printed alike may differ, their digests do not."""


class System(Protocol):
    """Anything that ranks."""

    name: str

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        """Rank `depth` documents for every query. Raises EmbassayError; what was embedded until then is kept."""

    def run(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Run:
        """The same ranking alone: no cost is measured."""

    def texts(self, judged: JudgedSet) -> int:
        """How many texts will be embedded at most, for a progress bar."""
