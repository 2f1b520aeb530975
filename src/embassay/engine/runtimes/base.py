"""The contract of a runtime: batches of token ids in, vectors out, many batches at a time or one at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from embassay.engine.runtimes.target import Batch, Target
    from embassay.types import Vectors


class Queue(Protocol):
    """Keeps every core busy with batches. It belongs to one thread."""

    def submit(self, batch: Batch, width: int, rows: Sequence[int], into: Target) -> None:
        """Have a batch computed, whose longest text has `width` tokens; its vectors go into `rows` of a target.

        It may return before they are there.
        """

    def finish(self, target: Target) -> Vectors:
        """The vectors of `target`, once every row of it is there."""

    def close(self) -> None:
        """Wait for batches that are still being computed."""


class Runtime(Protocol):
    """One model at one precision. Threads may share it."""

    def once(self, batch: Batch) -> Vectors:
        """One small batch as fast as possible: float32 (len(batch), dimensions)."""

    def queue(self) -> Queue:
        """A queue for many batches."""
