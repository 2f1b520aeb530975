"""A second space of a set that is searched: the one that its texts are being moved to.

A search recalls with the live space. What it found may then be scored in the second one, by the vectors that are stored
there already, and by those that its model makes within a time. Both sides of every product are of the second space.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.space import Space
    from embassay.stores.base import Snapshot
    from embassay.types import Vectors

KEPT = 4096
"""Vectors that were made for searches and are remembered: the next search often finds the same texts."""
AT_ONCE = 16
"""Texts that a model of this process is given at once."""
LAST_WAIT = 1.0
"""Seconds that what is under way may take at the end: a reply that is on its way was paid for."""


class TimedModel:
    """Makes vectors of texts within a time, in a thread of its own. Threads may share it.

    What comes too late is remembered for whoever asks next, and so is what came in time.
    """

    def __init__(self, embedder: Callable[[], Embedder], space: Space) -> None:
        """`embedder` opens the model when it is first needed; its vectors are of `space`."""
        self._open, self._space = embedder, space
        self._made: OrderedDict[str, Vectors] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._seconds_a_text = 0.0
        self._under_way: threading.Thread | None = None

    def query(self, text: str) -> Vectors:
        """The vector (dimensions,) of a query. Raises ModelError, ProviderError."""
        vector: Vectors = comparable(self._open().embed([text], "query").vectors, self._space)[0]
        return vector

    def documents(self, texts: Mapping[str, str], budget_ms: float) -> tuple[dict[str, Vectors], Exception | None]:
        """Vectors (dimensions,) of as many of `texts`, by their keys, as can be had within `budget_ms`, the first ones
        first; and why there are no more, where the model raised something.
        """
        deadline = time.monotonic() + budget_ms / 1000
        missing = {key: text for key, text in texts.items() if key not in self._made}
        failure: Exception | None = None
        if missing and budget_ms > 0 and self._turn.acquire(timeout=budget_ms / 1000):
            work = _Work(missing, deadline)
            self._under_way = threading.Thread(target=self._make, args=(work,), name="cascade", daemon=True)
            self._under_way.start()
            work.done.wait(max(0.0, deadline - time.monotonic()))
            failure = work.failure
        with self._lock:
            return {key: self._made[key] for key in texts if key in self._made}, failure

    def close(self) -> None:
        """Give what is under way a moment to arrive."""
        if self._under_way is not None:
            self._under_way.join(LAST_WAIT)

    def _make(self, work: _Work) -> None:
        try:
            left = [*work.texts.items()]
            while left and (count := self._fitting(work.deadline)):
                batch, left = left[:count], left[count:]
                self._embed(batch)
        except Exception as error:  # whoever waits is told, whatever it is
            work.failure = error
        finally:
            self._turn.release()
            work.done.set()

    def _fitting(self, deadline: float) -> int:
        """How many texts a request may have so that its reply comes in time; one where nobody knows yet."""
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            return 0
        if self._open().remote:  # each request costs a round trip, whatever it holds
            return KEPT
        if not self._seconds_a_text:
            return 1
        return min(AT_ONCE, int(seconds / self._seconds_a_text))

    def _embed(self, batch: Sequence[tuple[str, str]]) -> None:
        started = time.monotonic()
        at = 0
        for block in self._open().stream([text for _, text in batch], "document"):
            rows = comparable(block.vectors, self._space)
            with self._lock:
                for row in range(len(block)):
                    if row not in block.refused:
                        self._made[batch[at + row][0]] = rows[row]
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
            at += len(block)
        took = (time.monotonic() - started) / len(batch)
        self._seconds_a_text = (self._seconds_a_text + took) / 2 if self._seconds_a_text else took


class _Work:
    """What one search asks for."""

    def __init__(self, texts: Mapping[str, str], deadline: float) -> None:
        self.texts, self.deadline = texts, deadline
        self.done = threading.Event()
        self.failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class SecondSpace:
    """What a search may ask of the second space: one version of what is stored there, and its model."""

    space: Space
    snapshot: Snapshot
    model: TimedModel

    def stored(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """The vector (dimensions,) of each key that has one there. Raises StoreError.

        A row of zeros is that of a text whose vector is still to be made.
        """
        return {key: vector for key, vector in self.snapshot.vectors(keys).items() if vector.any()}


@dataclass(frozen=True, slots=True)
class Cascaded:
    """What a cascade did: how each candidate came to its score."""

    space: Space
    """The second one."""
    exact: int
    """Candidates that were scored by their stored vectors in it."""
    embedded: int
    """Candidates whose vectors there were made for this search, or for one before it."""
    left: int
    """Candidates that kept their place by the score in the live space."""

    def __str__(self) -> str:
        """In one line."""
        return (
            f"cascade: {self.exact + self.embedded + self.left:,} candidates rescored in {self.space}: {self.exact:,} "
            f"by stored vectors, {self.embedded:,} embedded now, {self.left:,} left with the old score"
        )

    def to_dict(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "space": str(self.space),
            "space_digest": self.space.digest,
            "exact": self.exact,
            "embedded": self.embedded,
            "left": self.left,
        }
