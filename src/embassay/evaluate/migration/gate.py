"""The quality gate of a migration: `compare` on a judged set, the live generation against the new one.

    run(sets, "docs", verifiers(JudgedGate("judged/")))

It is handed to the verification as a value. What is worse, or no better than the minimum effect, is not to be switched
to, whoever asked the queries: nothing is lost by staying. What is undecided, or better on made-up queries only, passes
with a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import MigrationState, ProviderError, QuotaExhausted, RateLimited, SpendCapReached
from embassay.evaluate.compare.opening import check_judged
from embassay.evaluate.compare.paired import METRICS, compare_systems
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.compare.verdict import MIN_EFFECT, Budgets
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.events import Noted
from embassay.search.index import Index
from embassay.search.modes import pipeline
from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.evaluate.compare.result import Comparison
    from embassay.search.pipeline import Pipeline
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation

NAME = "quality"
PASSING = (QuotaExhausted, RateLimited, SpendCapReached, MigrationState)
"""Why the live model cannot be asked now. A service that is down may be gone for good, and holds no migration up."""


class JudgedGate:
    """A `Verifier` that has a judged set decide. The comparison that it made last is in `comparison`."""

    def __init__(
        self,
        judged: str | os.PathLike[str] | JudgedSet,
        *,
        split: str | None = None,
        mode: str = "hybrid",
        metrics: tuple[str, ...] = METRICS,
        min_effect: float = MIN_EFFECT,
        sure: bool = False,
        budgets: Budgets | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`mode`: how the set is searched, since what is measured should be what is served. The first of `metrics`
        decides; with `sure` the lower bound of a gain has to reach `min_effect`. Raises JudgedSetError, UsageError.
        """
        self.judged = judged if isinstance(judged, JudgedSet) else read_judged(Path(judged), split)
        self.comparison: Comparison | None = None
        self._pipeline, self._metrics, self._min_effect = pipeline(mode), metrics, min_effect
        self._sure, self._budgets, self._advance = sure, budgets, advance

    def __call__(self, sets: OpenSets, live: Generation, new: Generation) -> list[Check]:
        """One check. Raises UsageError where the set lacks judged documents, and what either model raises that it may
        not raise later: a quota that is used up says nothing of quality.
        """
        sets.events.tell(Noted(f"verifying: asking {len(self.judged.queries):,} judged queries of both generations"))
        with (
            system_of(sets, live, "live", self._pipeline) as old,
            system_of(sets, new, "new", self._pipeline) as other,
        ):
            check_judged(self.judged, [old, other])
            self.comparison = compare_systems(
                self.judged,
                [old, other],
                metrics=self._metrics,
                min_effect=self._min_effect,
                sure=self._sure,
                budgets=self._budgets,
                advance=self._advance,
            )
        for row, passing in zip(self.comparison.rows, (PASSING, (ProviderError, MigrationState)), strict=True):
            if isinstance(row.failure, passing):
                raise row.failure
        return [check_of(self.comparison)]


@contextmanager
def system_of(sets: OpenSets, generation: Generation, name: str, searched: Pipeline) -> Iterator[SetSystem]:
    """A generation, live or not, as it is searched by a pipeline, for the time of the block. Raises ModelError."""
    embedder = partial(sets.embedder, generation)
    with ExitStack() as opened:
        index = Index(
            name,
            generation.space,
            partial(sets.folder.store, generation),
            embedder,
            language=generation.spec.language,
            reranker=lambda asked: sets.models.rerankers.get(asked),  # noqa: PLW0108 - models are opened late
        )
        opened.enter_context(closing(index))
        paths = [row.path for row in sets.state.sources(generation) if row.state == "ok"]
        yield SetSystem(name, index, embedder(), searched, paths)


def check_of(found: Comparison) -> Check:
    """What a comparison of the live generation, its first row, with the new one says of switching."""
    live, new = found.rows
    metric = found.metrics[0]
    figures: dict[str, object] = {
        "judged": found.judged.name, "digest": found.judged.digest, "queries": len(found.basis.queries),
        "origin": found.basis.origin, "verdict": found.verdict, "metric": metric,
        "pipeline": new.pipeline or live.pipeline,
        "live": live.metrics.get(metric), "new": new.metrics.get(metric),
    }  # fmt: skip
    if new.error:
        return Check(NAME, False, f"the new generation cannot be searched: {new.error}", figures)
    if live.error:
        said = f"{metric} is {new.metrics[metric]:.3f}; the live generation cannot be measured: {live.error}"
        return Check(NAME, True, said, figures, warned=True)
    (pair,) = found.deciding
    figures |= {"difference": pair.difference, "interval": [*pair.interval], "p": pair.p}
    low, high = pair.interval
    said = (
        f"{found.verdict}: {metric} is {live.metrics[metric]:.3f} live and {new.metrics[metric]:.3f} new on "
        f"{found.basis.words} of {found.judged.name}, a difference of {pair.difference:+.3f} "
        f"({low:+.3f} to {high:+.3f}): {pair.reason}."
    )
    if found.basis.is_made_up:
        said += " Nobody has judged these queries: a set of real questions would show more."
    warned = found.verdict == "undecided" or (found.verdict == "switch" and found.basis.is_made_up)
    return Check(NAME, found.verdict != "keep", said, figures, warned=warned)
