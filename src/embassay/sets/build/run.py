"""An index run: the chunks of a source, with their vectors, to a writer.

Three threads work at once. One of them pulls texts from the source, which reads and cuts, and tokenises them; the
engine infers; the writer writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from embassay.embedders.alongside import Step, alongside
from embassay.errors import Interrupted
from embassay.events import SILENCE, Events, Noted, WorkAdvanced, WorkStarted, WorkStoppable
from embassay.sets.build.origin import Change, New
from embassay.sets.build.report import IndexReport
from embassay.sets.build.source import Source, Stoppable
from embassay.sets.build.writer import Writer
from embassay.sets.coverage import coverage
from embassay.types import NO_USAGE, Usage
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

Defer = Callable[[Change], Change]


def build(
    source: Source, writer: Writer, embedder: Embedder, events: Events = SILENCE, defer: Defer | None = None
) -> IndexReport:
    """Bring the writer's generation up to date with `source`.

    Whatever was embedded before an error, or before Ctrl-C, is stored before that is raised. The model is not even
    loaded when there is nothing to embed. `embedder` makes vectors of the generation's space or none: see
    `embassay.sets.door`. Raises what source, embedder, store and state raise.
    """
    started = time.monotonic()
    if source.what:
        events.tell(WorkStarted(f"Indexing {source.what}", source.total))
    embedded, usage = write_changes(source, writer, embedder, events, defer)
    if writer.unfolded:
        if source.what:  # a remark belongs to work that was told to begin
            events.tell(Noted("indexing"))
        writer.fold()
    outcome, generation = source.outcome(), writer.generation
    covered = coverage(writer.state.sources(generation))
    with writer.store.snapshot() as version:
        chunks = version.count()
    return IndexReport(
        set=generation.set_name,
        space=str(generation.space),
        space_digest=generation.space.digest,
        files=outcome.read,
        unchanged=outcome.unchanged,
        removed=outcome.removed,
        embedded=embedded,
        chunks=chunks,
        skipped=outcome.skipped,
        quarantined=covered.quarantined,
        read_in_part=covered.read_in_part,
        seconds=time.monotonic() - started,
        cached=usage.cached,
        usd=usage.usd,
        language=generation.spec.language,
    )


def write_changes(
    source: Source, writer: Writer, embedder: Embedder, events: Events = SILENCE, defer: Defer | None = None
) -> tuple[int, Usage]:
    """Have the changes of `source` written with their vectors: how many chunks were embedded, and what that took.

    `defer` gives those a vector that are not to be embedded now, see `embassay.sets.build.deferring`.
    The indexes of the store are left as they are. Raises as `build` does, and Interrupted where it was asked to stop:
    nothing more is read then, and what was read is embedded and written first, unless that has to be paid for.
    """
    embedded, done, usage = 0, 0, NO_USAGE
    ending = _Ending(source)
    read = takewhile(lambda _: not ending.asked, source)
    changes = map(defer, read) if defer else read
    events.tell(WorkStoppable(ending.ask))
    with writer, closing(alongside(changes, _text, embedder, "document")) as steps:
        try:
            for step in steps:
                if step.made is not None:
                    embedded += len(step.made)
                    usage += step.made.usage
                for change, vector in _with_vectors(step):
                    writer.add(change, vector)
                if events.wants(WorkAdvanced):
                    done += sum(change.size for change in step.items)
                    events.tell(WorkAdvanced(done, embedded))
                if ending.asked and embedder.remote:  # nothing more is sent; replies under way are kept as they arrive
                    break
        except BaseException:
            ending.ask()  # otherwise closing would wait until as many texts were read as a model takes at once
            raise
        finally:
            was_asked, ending.over = ending.asked, True
    if was_asked:
        raise Interrupted("stopped; what was embedded is kept.", remedy="Run it again: it goes on where it stopped.")
    return embedded, usage


class _Ending:
    """How a run comes to its end before its source does."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.asked = self.over = False

    def ask(self) -> bool:
        """Have the source end; whether the run is still at work."""
        if self.over:
            return False
        self.asked = True
        if isinstance(self._source, Stoppable):
            self._source.stop()
        return True


def _text(change: Change) -> str | None:
    return change.chunk.indexed if isinstance(change, New) and change.vector is None else None


def _with_vectors(step: Step[Change]) -> Iterator[tuple[Change, Vectors | None]]:
    """The changes to store. A chunk that the provider refused is left out, and its origin told."""
    made = step.made
    if made is None:
        yield from ((change, _given(change)) for change in step.items)
        return
    vectors = comparable(made.vectors, made.space)
    for change, row in zip(step.items, step.rows, strict=True):
        if row is None:
            yield change, _given(change)
        elif isinstance(change, New):
            if row in made.refused:
                first, last = change.chunk.lines
                change.origin.refused.add(f"lines {first}-{last}: {made.refused[row]}")
            else:
                yield _as_read(change, made.truncated[row]), vectors[row]


def _given(change: Change) -> Vectors | None:
    return change.vector if isinstance(change, New) else None


def _as_read(change: New, truncated: bool) -> New:
    """The chunk, flagged if the model read only its head: a hosted one may take less than was known of it."""
    if not truncated or change.chunk.truncated:
        return change
    change.origin.shortened += 1
    return replace(change, chunk=replace(change.chunk, truncated=True))
