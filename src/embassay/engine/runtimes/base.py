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
        """Compute a batch whose longest text has `width` tokens, some time, into `rows` of a target."""

    def finish(self, target: Target) -> Vectors:
        """The vectors of `target`, once every row of it is there."""

    def close(self) -> None:
        """Wait for what is under way."""


class Runtime(Protocol):
    """One model at one precision. Threads may share it."""

    def once(self, batch: Batch) -> Vectors:
        """One small batch as fast as possible: float32 (len(batch), dimensions)."""

    def queue(self) -> Queue:
        """For many batches."""
