"""The contract of a runtime: batches of token ids in, vectors out, many batches at a time or one at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from embassay.engine.runtimes.padding import Batch
    from embassay.types import Vectors


class Target(Protocol):
    """Takes the vectors of a queue, as they are computed."""

    def write(self, rows: Sequence[int], values: Vectors) -> None:
        """Vectors of `rows`, float32 (len(rows), dimensions), which hold only until this returns."""


class Queue(Protocol):
    """Keeps every core busy with batches. It belongs to one thread."""

    def submit(self, batch: Batch, width: int, rows: Sequence[int], into: Target) -> None:
        """Have a batch computed, whose longest text has `width` tokens; its vectors go into `rows` of a target.

        It may return before they are there. Vectors of earlier batches may be written meanwhile.
        """

    def wait(self) -> None:
        """Wait until the batch is computed that was submitted first, and write its vectors; nothing where none is."""

    def close(self) -> None:
        """Wait for batches that are still being computed."""


class Runtime(Protocol):
    """One model at one precision. Threads may share it."""

    def once(self, batch: Batch) -> Vectors:
        """One small batch as fast as possible: float32 (len(batch), dimensions)."""

    def queue(self) -> Queue:
        """A queue for many batches."""
