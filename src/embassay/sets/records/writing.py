"""Records into a set: the one way in which they are added and replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from embassay.errors import UsageError
from embassay.sets.beginning import begun
from embassay.sets.build.deferring import deferred_by
from embassay.sets.build.run import write_changes
from embassay.sets.build.writer import Writer
from embassay.sets.followers import bring_along
from embassay.sets.indexing import chunker_of
from embassay.sets.moves import on_live
from embassay.sets.noting import noted_if_cut_short
from embassay.sets.records.given import read_records
from embassay.sets.records.own_vectors import Voucher
from embassay.sets.records.report import RecordsReport
from embassay.sets.records.source import GROUP, Records, is_there, named
from embassay.sets.records.upkeep import keep_fast
from embassay.sets.tokens import make_tokens

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import Wishes
    from embassay.sets.state import Generation, State
    from embassay.space import Space
    from embassay.types import Record, Usage

    Given = Iterable[Record | Mapping[str, Any]]

SAMPLED = 32
"""Records by whose texts the language of a new set is told."""


def add(sets: OpenSets, name: str, given: Given, wishes: Wishes, space: Space | None = None) -> RecordsReport:
    """Add records whose ids the set does not have. Raises UsageError where it has some, and as `upsert` does."""
    records = list(read_records(given))

    def refuse_known(state: State, generation: Generation) -> None:
        rows = state.sources_of(generation, [record.id for record in records])
        if known := [row.path for row in rows.values() if not row.is_record or is_there(row)]:
            raise UsageError(
                f"set {name!r} has these ids already: {named(known)}.", remedy="Use upsert to replace what is there."
            )

    return _write(sets, name, records, wishes, space, refuse_known)


def upsert(sets: OpenSets, name: str, given: Given, wishes: Wishes, space: Space | None = None) -> RecordsReport:
    """Make set `name` hold these records. One process writes a set at a time, others wait.

    `space` is the one that the vectors of the records are said to be of.
    Raises UsageError, SpaceMismatch, ModelError, HomeError, StoreError; whatever was stored before an error stays.
    """
    return _write(sets, name, read_records(given), wishes, space)


def _write(
    sets: OpenSets,
    name: str,
    records: Iterable[Record],
    wishes: Wishes,
    space: Space | None,
    check: Callable[[State, Generation], None] = lambda _state, _generation: None,
) -> RecordsReport:
    """`check` is asked once nobody else writes, and before anything is written."""
    coming = iter(records)
    first = list(islice(coming, GROUP))
    given = chain(first, coming)
    return on_live(lambda: _written(sets, name, (first, given), wishes, space, check))


def _written(
    sets: OpenSets,
    name: str,
    records: tuple[Sequence[Record], Iterable[Record]],
    wishes: Wishes,
    space: Space | None,
    check: Callable[[State, Generation], None],
) -> RecordsReport:
    """`records`: the first few, and all of them."""
    started = time.monotonic()
    first, given = records
    with (
        begun(sets, name, wishes, lambda: _sample(first)) as (generation, embedder),
        sets.writing(generation) as state,
    ):
        store = sets.store(generation)
        check(state, generation)
        source = Records(
            given,
            (state, generation, store),
            lambda: chunker_of(sets, generation, embedder),
            Voucher(name, embedder, space),
        )
        writer = Writer(state, generation, store)
        with noted_if_cut_short(state, generation, "added", writer):
            defer = deferred_by(sets, generation)
            embedded, usage = write_changes(source, writer, embedder, sets.events, defer)
        keep_fast(store, embedded + source.given)
        if not state.totals(generation).waiting:  # else they wait together with the vectors
            make_tokens(sets, generation, store, embedder)
        bring_along(sets, state, generation, writer.touched)
        with store.snapshot() as version:
            chunks = version.count()
        waiting = state.totals(generation).waiting
        report = _report(generation, source, writer, started, (embedded, usage, chunks, waiting))
        if report.added or report.updated:
            figures = {one: getattr(report, one) for one in ("added", "updated", "embedded", "given", "seconds", "usd")}
            state.history.join(generation.set_name, "added", generation.id, figures)
    return report


def _report(
    generation: Generation, source: Records, writer: Writer, started: float, counts: tuple[int, Usage, int, int]
) -> RecordsReport:
    """`counts`: chunks that were embedded, what that took, the chunks of the set, and those of them that wait."""
    embedded, usage, chunks, waiting = counts
    return RecordsReport(
        set=generation.set_name,
        space=str(generation.space),
        added=source.added,
        updated=source.updated,
        unchanged=source.unchanged,
        embedded=embedded,
        given=source.given,
        chunks=chunks,
        skipped=source.outcome().skipped,
        quarantined=tuple(writer.quarantined),
        seconds=time.monotonic() - started,
        cached=usage.cached,
        usd=usage.usd,
        space_digest=generation.space.digest,
        language=generation.spec.language,
        waiting=waiting,
    )


def _sample(records: Sequence[Record]) -> Iterator[str]:
    """Texts from all over some records."""
    step = max(1, len(records) // SAMPLED)
    return (record.text for record in records[::step])
