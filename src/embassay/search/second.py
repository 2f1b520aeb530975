"""A second space of a set that is searched: the one that its texts are being moved to.

A search recalls with the live space. What it found may then be scored in the second one, by the vectors that are stored
there already, and by those that its model makes within a time. Both sides of every product are of the second space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.timed import Timed
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.space import Space
    from embassay.stores.base import Snapshot
    from embassay.types import Vectors

KEPT = 4096
"""Vectors that were made for searches and are remembered: the next search often finds the same texts."""


class TimedModel(Timed[str, "Vectors"]):
    """Makes vectors of texts within a time. Threads may share it."""

    def __init__(self, embedder: Callable[[], Embedder], space: Space) -> None:
        """`embedder` opens the model when it is first needed; its vectors are of `space`."""
        super().__init__(KEPT)
        self._open, self._space = embedder, space

    @property
    def remote(self) -> bool:
        return self._open().remote

    def query(self, text: str) -> Vectors:
        """The vector (dimensions,) of a query. Raises ModelError, ProviderError."""
        vector: Vectors = comparable(self._open().embed([text], "query").vectors, self._space)[0]
        return vector

    def make(self, items: Sequence[str]) -> Iterator[Vectors | None]:
        """The vector (dimensions,) of each text. Raises ModelError, ProviderError."""
        for block in self._open().stream(items, "document"):
            rows = comparable(block.vectors, self._space)
            yield from (None if row in block.refused else rows[row] for row in range(len(block)))

    def size(self, made: Vectors) -> int:  # noqa: ARG002 - they are all alike
        """Vectors are counted."""
        return 1


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
