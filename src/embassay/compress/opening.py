"""A set of a home, held against a judged set: what its vectors can be compressed to, and what is proposed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay import plugins, remedy
from embassay.compress.choosing import losses, losses_rescored, propose
from embassay.compress.measuring import SearchedScheme, search_all
from embassay.compress.result import Compression, SchemeRow
from embassay.compress.schemes import StoredAs
from embassay.errors import JudgedSetError, UsageError
from embassay.evaluate.compare.opening import check_judged
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.score.metrics import canonical, mean
from embassay.models.reference import uncut
from embassay.search.modes import pipeline
from embassay.sets.migration.target import MigrationTarget
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
    if not (math.isfinite(max_loss) and max_loss >= 0):
        raise UsageError(f"a loss of {max_loss} at most: write a number that is not negative, such as 0.01.")
    if len(judged.queries) < FEWEST_QUERIES:
        raise JudgedSetError(
            f"{judged.name} has {len(judged.queries)} judged queries: a half of them has to choose, and the other one "
            f"to tell the loss, so that {FEWEST_QUERIES} are the least.",
            remedy=remedy.command("judge new", "FOLDER", out="DIR", say="{} makes more."),
        )
    names, of_set = canonical(tuple(metrics)), home.set(set)
    with ExitStack() as held:
        index = held.enter_context(of_set.searcher())
        embedder, spec = of_set.embedder(), of_set.spec()
        check_judged(judged, [SetSystem(set, index, embedder, pipeline("dense"), home.sources(set))])
        version = index.snapshots(held)[set]
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
        space = str(index.space)
    rows = _rows(found, names[0])
    proposal = propose(found, names[0], max_loss, sure=sure)
    return Compression(set, space, judged, chunks, names, max_loss, sure, rows, proposal)


def apply(home: Home, found: Compression) -> MigrationStatus | None:
    """Make a new generation of the vectors that are proposed, and switch the set to it; a rollback goes back.

    A migration to them that was stopped or killed is gone on with. None where nothing is proposed. Raises as
    `EmbeddingSet.migrate` and `EmbeddingSet.switch` do.
    """
    row = found.proposed
    if row is None:
        return None
    of_set, options = home.set(found.set), dict(row.options)
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
    return [replace(row, foremost=_is_foremost(row, rows, metric)) for row in rows]


def _is_foremost(row: SchemeRow, rows: Sequence[SchemeRow], metric: str) -> bool:
    """Whether no other one is better at no more bytes, or as good at fewer (the Pareto front)."""
    score = row.metrics[metric]
    others = [(other.bytes, other.metrics[metric]) for other in rows if other is not row]
    return not any(
        (size <= row.bytes and theirs > score) or (size < row.bytes and theirs >= score) for size, theirs in others
    )
