"""The contract of a source: what an index run takes its chunks from.

    class Tickets:                                   # a source is anything that offers this
        what = "2 tickets"
        total = None

        def __iter__(self):                          # runs in another thread, ahead of the vectors
            recall(store, origins)                   # an origin is what chunks come from: a file, a record
            for origin in origins:
                for chunk in ...:
                    if (change := origin.take(chunk)) is not None:
                        yield change
                yield origin.end()

        def outcome(self):                           # asked once the iteration has ended
            return SourceOutcome(read=2)

`changes`, beside Origin, does so for documents that `embassay.ingest.flow` reads and cuts. A source yields changes in
the order in which they are to be stored, and ends every origin that it began. It knows nothing of vectors, and whoever
makes and stores them knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from embassay.sets.build.origin import Change


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What a source has to tell for the report of the run."""

    read: int
    """Files, or whatever its origins are, that were looked into."""
    unchanged: int = 0
    removed: int = 0
    """Origins that are gone, and their rows with them."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(name, reason) of what was left out on purpose."""


class Source(Protocol):
    """Chunks to index, and the bookkeeping of where they come from."""

    what: str
    """What there is to do, for a person who waits: ``3 files``. Empty where there is nothing to read."""
    total: int | None
    """The sum of the sizes of all changes, if that is known before."""

    def __iter__(self) -> Iterator[Change]:
        """The changes, in the order in which they are to be stored. Iterated once, in another thread."""

    def outcome(self) -> SourceOutcome:
        """What was read and what was left out. It is asked for once the iteration has ended."""


@runtime_checkable
class Stoppable(Protocol):
    """A source that may wait long for a change, and can be told to give up."""

    def stop(self) -> None:
        """End whatever the iteration waits for. Called from another thread when the run ends early."""
