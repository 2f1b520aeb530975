"""A set of a home, held against a judged set: what its vectors can be compressed to, and what is proposed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay import plugins, remedy
from embassay.compress.choosing import losses, losses_rescored, propose
from embassay.compress.measuring import SearchedScheme, search_all
from embassay.compress.pareto import foremost
from embassay.compress.result import Compression, SchemeRow
from embassay.compress.schemes import WHOLE, StoredAs
from embassay.errors import JudgedSetError, MigrationState, SetMoved, UsageError
from embassay.evaluate.compare.opening import check_judged
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.score.metrics import canonical, mean
from embassay.models.reference import uncut
from embassay.search.modes import pipeline
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.moves import on_live
from embassay.stores.opening import BACKENDS
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.home import Home
    from embassay.sets.migration.status import MigrationStatus

METRICS = ("nDCG@10",)
MAX_LOSS = 0.01
"""Of the first metric."""
FEWEST_QUERIES = 4
"""Two for each half."""


def compress(
    home: Home,
    set: str,
    judged: JudgedSet,
    *,
    max_loss: float = MAX_LOSS,
    metrics: Sequence[str] = METRICS,
    sure: bool = False,
    started: Callable[[int], None] = lambda _: None,
    advance: Callable[[int], None] = lambda _: None,
) -> Compression:
    """Measure what each scheme loses of the dense search of a set, and propose the smallest that loses little enough.

    Nothing is changed, and no document is embedded. `max_loss` is of the first of `metrics`, in the mean of the queries
    that did not choose the scheme; with `sure` the upper bound of its interval may not be above it either. `started` is
    told how many rows will be read, `advance` of those that were. Raises UsageError for an empty set, a judged set of
    other documents or of too few queries, SetNotFound, StoreError, ModelError.
    """
    if not (isinstance(max_loss, (int, float)) and math.isfinite(max_loss) and max_loss >= 0):
        raise UsageError(f"a loss of {max_loss} at most: write a number that is not negative, such as 0.01.")
    names = canonical(tuple(metrics))
    if not names:
        raise UsageError("no metric is named by which a loss could be told.", remedy=f"Name one, such as {METRICS[0]}.")
    answered = sum(any(grade > 0 for grade in judged.qrels.get(query, {}).values()) for query in judged.queries)
    if answered < FEWEST_QUERIES:
        raise JudgedSetError(
            f"{judged.name} has {answered} judged queries: a half of them has to choose, and the other one to tell the "
            f"loss, so that {FEWEST_QUERIES} are the least.",
            remedy=remedy.command("judge new", "FOLDER", out="DIR", say="{} makes more."),
        )
    asked = _Asked(set, judged, names, max_loss, sure)
    return on_live(lambda: _measured(home, asked, started, advance))


def apply(home: Home, found: Compression) -> MigrationStatus | None:
    """Make a new generation of the vectors that are proposed, and switch the set to it; a rollback goes back.

    A migration to them that was stopped or killed is gone on with. None where nothing is proposed. Raises
    MigrationState where the set was switched since it was measured, and as `EmbeddingSet.migrate` and
    `EmbeddingSet.switch` do.
    """
    row = found.proposed
    if row is None:
        return None
    of_set, options = home.set(found.set), dict(row.options)
    if of_set.generation() != found.generation:
        raise MigrationState(
            f"set {found.set!r} was switched to another generation since it was measured: what is proposed was "
            "measured on vectors that it has no more.",
            remedy=remedy.command("log", found.set, say="Look at what happened to it with {}, and measure again."),
        )
    if row.options["dtype"] == of_set.spec().dtype:
        del options["dtype"]
    target = MigrationTarget.of(None, **options)  # type: ignore[arg-type]
    status = of_set.migration_to(target)
    if status is None or status.state != "ready":
        status = of_set.migrate(None, **options)  # type: ignore[arg-type]
    if status.state == "ready":
        of_set.switch()
        status = of_set.migration()
    return status


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be measured, and how much may be lost."""

    set: str
    judged: JudgedSet
    metrics: tuple[str, ...]
    max_loss: float
    sure: bool


def _measured(home: Home, asked: _Asked, started: Callable[[int], None], advance: Callable[[int], None]) -> Compression:
    """Raises SetMoved where the set was switched while it was opened."""
    of_set, judged, names = home.set(asked.set), asked.judged, asked.metrics
    generation = of_set.generation()
    with ExitStack() as held:
        index = held.enter_context(of_set.searcher())
        embedder, spec = of_set.embedder(), of_set.spec()
        if of_set.generation() != generation:
            raise SetMoved(f"set {asked.set!r} was switched meanwhile.", remedy="Measure it again.")
        check_judged(judged, [SetSystem(asked.set, index, embedder, pipeline("dense"), home.sources(asked.set))])
        version = index.snapshots(held)[asked.set]
        chunks = version.count()
        started(2 * chunks)
        stored = StoredAs(
            index.space,
            spec.dtype,
            spec.store,
            plugins.load(BACKENDS, spec.store).CAPABILITIES,
            home.session.models.card(uncut(spec.model)),
        )
        made = embedder.embed(list(judged.queries.values()), "query").vectors
        found = search_all(version, stored, judged, comparable(made, index.space), names, advance)
    proposal = propose(found, names[0], asked.max_loss, sure=asked.sure)
    is_whole = stored.dtype == WHOLE and not spec.pca
    return Compression(
        asked.set, generation, str(stored.space), is_whole, judged, chunks, names, asked.max_loss, asked.sure,
        _rows(found, names[0]), proposal,
    )  # fmt: skip


def _rows(found: Sequence[SearchedScheme], metric: str) -> list[SchemeRow]:
    queries = list(found[0].scores)
    plain, rescored = (of(found[0], found, metric, queries) for of in (losses, losses_rescored))
    rows = [
        SchemeRow(
            one.scheme.name, one.scheme.bytes, one.recall, one.recall_rescored, mean(one.scores), mean(one.rescored),
            loss, loss_rescored, one.scan_ms, one.scheme.unkept, one.scheme.options,
        )
        for one, loss, loss_rescored in zip(found, plain, rescored, strict=True)
    ]  # fmt: skip
    front = foremost([(row.bytes, row.metrics[metric]) for row in rows])
    return [replace(row, foremost=ahead) for row, ahead in zip(rows, front, strict=True)]
