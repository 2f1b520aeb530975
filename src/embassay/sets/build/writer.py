"""Writes the changes of an index run into a set, in checkpoints, so that a run may be killed at any moment.

A checkpoint is written in this order: the origins concerned are marked as pending, rows are upserted by keys that come
from their content, stale rows are deleted, the origins that ended are settled. Whatever moment a run dies at, the next
one finds origins that are pending or unknown, repeats them, and arrives at the same rows.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.sets.build.origin import Change, Ended, Moved, New, Origin
from embassay.sets.state import Generation, State
from embassay.stores.base import Store
from embassay.stores.values import VECTOR
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors

CHECKPOINT_ROWS = 4096
CHECKPOINT_SECONDS, LONGEST_SECONDS = 0.8, 1.2
"""A checkpoint is due after so long, or up to the longer time where writing is slow: what is lost when a run is killed
is bounded by it."""
WRITING_SHARE = 0.2
"""Of the time, that writing may take before checkpoints become rarer."""
TICK_SECONDS = 0.25
"""How often it is looked whether a checkpoint is due while nothing is added."""
FOLD_ROWS = 16_384
FOLD_PARTS = 500
"""Checkpoints after which the parts that they have left in the store are joined: each write looks into all of them."""


@dataclass(slots=True)
class Checkpoint:
    """Changes that are written together."""

    chunks: list[Chunk] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)
    """One for each of `chunks`."""
    moved: list[Chunk] = field(default_factory=list)
    """Chunks whose vectors are in the store already."""
    touched: dict[str, Origin] = field(default_factory=dict)
    """Every origin that one of the changes belongs to, by name."""
    ended: list[Origin] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many changes it holds: new chunks, moved ones, and ends of origins."""
        return len(self.chunks) + len(self.moved) + len(self.ended)


class Writer:
    """Takes changes with their vectors, in order, and writes them to one generation of a set.

    The caller holds the right to write the generation. One checkpoint is written in a thread of the writer's own while
    the next one is collected: after `rows` changes, or when `seconds` have passed, whether anything more is added or
    not: a model may take long for the next vector. After `fold` new rows the indexes of
    the store are extended, so that searches beside a long run stay fast. Used as a context manager; leaving it writes
    what was collected, also after an error, so that no vector is paid for twice.
    """

    def __init__(
        self,
        state: State,
        generation: Generation,
        store: Store,
        *,
        rows: int = CHECKPOINT_ROWS,
        seconds: float = CHECKPOINT_SECONDS,
        fold: int = FOLD_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state, self.generation, self.store = state, generation, store
        self._rows, self._seconds, self._fold, self._clock = rows, seconds, fold, clock
        self._pool = ThreadPoolExecutor(1, "write")
        self._writing: Future[None] | None = None
        self._collecting = threading.RLock()
        self._collected, self._since, self._took = Checkpoint(), clock(), 0.0
        self._left = threading.Event()
        self._changed = False
        self._unfolded = self._parts = 0
        self._broken = False
        self.altered = False
        """Whether any row came, went, or was written anew: sources that were only looked at again alter nothing."""
        self.touched: set[str] = set()
        """Names of the origins of which anything was written."""
        self.quarantined: list[tuple[str, str]] = []
        """(name, reason) of origins that were settled and of which a part is missing."""

    def add(self, change: Change, vector: Vectors | None = None) -> None:
        """Take the next change; `vector` (dimensions,), of length 1 or zero, is that of a New chunk.

        Raises StoreError, HomeError and others of an earlier checkpoint that could not be written.
        """
        with self._collecting:
            collected = self._collected
            collected.touched[change.origin.name] = change.origin
            match change:
                case New():
                    assert vector is not None, "a new chunk comes with its vector"
                    collected.chunks.append(change.chunk)
                    collected.vectors.append(vector)
                case Moved():
                    collected.moved.append(change.chunk)
                case Ended():
                    collected.ended.append(change.origin)
            if collected.size >= self._rows or self._is_due:
                self.checkpoint()

    def checkpoint(self) -> None:
        """Have everything that was added until now written, in the background, once the checkpoint before it is."""
        with self._collecting:
            self._wait()
            collected, self._collected = self._collected, Checkpoint()
            self._since = self._clock()
            if collected.touched:
                self._writing = self._pool.submit(self._write, collected)

    @property
    def _is_due(self) -> bool:
        slow = min(LONGEST_SECONDS, self._took / WRITING_SHARE)
        return self._clock() - self._since > max(self._seconds, slow)

    def _tick(self) -> None:
        """Runs in a thread of its own. An error of the checkpoint before is left to whoever adds the next change."""
        while not self._left.wait(TICK_SECONDS):
            with self._collecting:
                writing = self._writing
                if self._is_due and (writing is None or (writing.done() and not writing.exception())):
                    self.checkpoint()

    @property
    def unfolded(self) -> bool:
        """Whether the indexes of the store do not know everything that was written, by this run or one before it."""
        if self._changed:
            return True
        with self.store.snapshot() as version:
            return any(version.stats().unindexed.values())

    def fold(self) -> None:
        """Bring the indexes of the store up to date, thoroughly, at the end of a run."""
        self.store.optimise(thorough=True)
        self._changed = False

    def __enter__(self) -> Writer:
        if self._seconds < math.inf:
            threading.Thread(target=self._tick, name="checkpoint", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        with self._pool:
            self.checkpoint()
            self._wait()

    def _wait(self) -> None:
        if self._writing:
            writing, self._writing = self._writing, None
            writing.result()

    def _write(self, collected: Checkpoint) -> None:
        """Runs in the writer's thread. Behind a checkpoint that failed nothing is written any more: it would settle
        origins of which rows are missing."""
        if self._broken:
            return
        began = self._clock()
        try:
            self._store_and_settle(collected)
        except BaseException:
            self._broken = True
            raise
        self._took = self._clock() - began

    def _store_and_settle(self, collected: Checkpoint) -> None:
        stale = [key for origin in collected.ended for key in origin.stale]
        if collected.chunks or collected.moved or stale:
            self.state.put(self.generation, [origin.pending() for origin in collected.touched.values()])
        self._upsert(collected, stale)
        self.touched.update(collected.touched)
        settled = [(origin.name, origin.settled()) for origin in collected.ended]
        records = [origin.record for origin in collected.ended if origin.record]
        self.state.put(self.generation, [row for _, row in settled if row], records)
        self.quarantined += [(name, row.reason) for name, row in settled if row and row.quarantined]
        if gone := [name for name, row in settled if row is None]:
            self.state.forget(self.generation, gone)
        if collected.chunks or collected.moved or stale or gone:
            self.altered = self._changed = True
        self._parts += 1
        if self._parts >= FOLD_PARTS:
            self.store.optimise(thorough=True)
            self._parts = self._unfolded = 0
        elif self._unfolded >= self._fold:
            self.store.optimise()
            self._unfolded = 0

    def _upsert(self, collected: Checkpoint, stale: Sequence[str]) -> None:
        import numpy as np

        chunks, vectors = collected.chunks, collected.vectors
        if collected.moved:
            with self.store.snapshot() as version:
                stored = version.vectors([chunk.key for chunk in collected.moved])
            chunks = chunks + collected.moved
            vectors = vectors + [stored[chunk.key] for chunk in collected.moved]
        if chunks:
            self.store.upsert(chunks, {VECTOR: np.stack(vectors)}, stale)
        elif stale:
            self.store.delete(stale)
        self._unfolded += len(chunks)
