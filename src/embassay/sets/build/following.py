"""A generation as the source of another one: what the live one holds, and the other one does not hold like that.

The other generation follows the live one by what both have written of each origin, so that one rule serves for all: to
build it from nothing, to bring it up to date after a kill, and to keep it in step while the live one is written. Texts
come from the store, because files may be gone; they stay cut as they are, so that both have the same keys.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from embassay.sets.build.deriving import Derive, derivation
from embassay.sets.build.origin import Change, New, Origin, recall
from embassay.sets.build.source import SourceOutcome
from embassay.sets.state import Generation, SourceRow, State
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.stores.base import Store
    from embassay.types import Record, Vectors

GROUP = 256
"""Origins whose chunks are read at once."""


@dataclass(frozen=True, slots=True)
class Books:
    """A generation with what is written of it, and where its rows are."""

    state: State
    generation: Generation
    store: Store


class Following:
    """The origins in which `follower` differs from `leader`, as changes to the follower."""

    def __init__(
        self,
        leader: Books,
        follower: Books,
        names: Iterable[str] | None = None,
        *,
        first: Callable[[str], float] | None = None,
        words_only: bool = False,
    ) -> None:
        """`names`: the origins that are looked at; None: all. Those of the highest `first` are taken first.

        With `words_only` chunks get no vector but zeros, and their origins stay to be done. A generation that follows
        itself has what waits in it embedded.
        """
        self._leader, self._follower = leader, follower
        ours, theirs = leader.generation, follower.generation
        projection = follower.state.projections.of(theirs.id)
        self._derive = None if ours.id == theirs.id else derivation(ours.space, theirs.space, projection)
        self._words_only = words_only and self._derive is None
        self.stopped = threading.Event()
        """Set once it was asked to stop."""
        self._todo, self._gone = _differing(leader, follower, names)
        if first:
            self._todo.sort(key=lambda row: -first(row.path))
        self.total: int | None = sum(row.size for row in self._todo)
        self.what = f"{len(self._todo):,} documents" if self._todo else ""

    @property
    def names(self) -> Sequence[str]:
        """The origins that are changed, removed ones included."""
        return [*(row.path for row in self._todo), *(row.path for row in self._gone)]

    def __iter__(self) -> Iterator[Change]:
        for gone in _groups(self._gone):
            origins = [Origin(row.path, row, digest=row.digest, reader=row.reader, gone=True) for row in gone]
            recall(self._follower.store, origins)
            yield from (origin.end() for origin in origins)
        for group in _groups(self._todo):
            yield from self._copied(group)
            if self.stopped.is_set():
                return

    def outcome(self) -> SourceOutcome:
        """How many origins were copied, and how many went."""
        return SourceOutcome(len(self._todo), 0, len(self._gone))

    def stop(self) -> None:
        """Hand out nothing more."""
        self.stopped.set()

    def _copied(self, group: Sequence[SourceRow]) -> Iterator[Change]:
        names = [row.path for row in group]
        theirs = self._follower.state.sources_of(self._follower.generation, names)
        records = self._leader.state.records.get(
            self._leader.generation.id, [row.path for row in group if row.is_record]
        )
        origins = [self._origin(row, theirs.get(row.path), records) for row in group]
        recall(self._follower.store, origins)
        chunks: dict[str, list[Chunk]] = defaultdict(list)
        derived: Mapping[str, Vectors] = {}
        with self._leader.store.snapshot() as version:
            for chunk in version.chunks([row.path for row in group if row.chunks]):
                chunks[chunk.path].append(chunk)
            if self._derive:
                keys = [chunk.key for of_one in chunks.values() for chunk in of_one]
                derived = _derived(version.vectors(keys), self._derive)
        for origin in origins:
            for chunk in sorted(chunks[origin.name], key=lambda one: (one.document, one.span)):
                if (change := self._change(origin, chunk, derived.get(chunk.key))) is not None:
                    yield change
                if self.stopped.is_set():
                    return
            yield origin.end()

    def _origin(self, row: SourceRow, theirs: SourceRow | None, records: Mapping[str, Record]) -> Origin:
        return Origin(
            row.path,
            theirs,
            row.size,
            mtime_ns=row.mtime_ns,
            digest=row.digest,
            reader=row.reader,
            record=records.get(row.path),
            copied=row if self._derive else _once_embedded(row),
        )

    def _change(self, origin: Origin, chunk: Chunk, vector: Vectors | None) -> Change | None:
        """The chunk, with the flag of what the follower's own model read of it; `vector`: where it was derived."""
        known = origin.existing.get(chunk.key)
        if vector is not None:
            origin.vector = vector
            return origin.take(chunk)
        if self._words_only:
            import numpy as np

            origin.vector = np.zeros(self._follower.generation.space.dimensions, np.float32)
        change = origin.take(replace(chunk, truncated=known.truncated if known else False))
        origin.unembedded |= self._words_only and isinstance(change, New)
        return change


def _derived(stored: Mapping[str, Vectors], derive: Derive) -> Mapping[str, Vectors]:
    """What is made of the stored rows of these keys, by key."""
    import numpy as np

    if not stored:
        return {}
    return dict(zip(stored, derive(np.stack(list(stored.values()))), strict=True))


def _groups(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    left = iter(rows)
    while group := list(islice(left, GROUP)):
        yield group


def _differing(leader: Books, follower: Books, names: Iterable[str] | None) -> tuple[list[SourceRow], list[SourceRow]]:
    """(origins to copy, origins to remove)."""
    asked = None if names is None else [*names]
    found = leader.state.lags.between(leader.generation.id, follower.generation.id, asked)
    todo = leader.state.sources_of(leader.generation, found.todo)
    gone = follower.state.sources_of(follower.generation, found.gone)
    return [*todo.values()], [*gone.values()]


def _once_embedded(row: SourceRow) -> SourceRow:
    """The row of an origin as it is once its vectors are there."""
    return replace(row, state="ok", reason="") if row.waits else row
