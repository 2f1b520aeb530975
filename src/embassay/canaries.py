"""Texts whose vectors tell whether two models live in one space, and how close is close enough.

Two runs of the same weights differ by their numeric precision, which costs less than a hundredth of the cosine; other
weights differ by much more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from embassay.vectors import cosines

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors

CANARY_TEXTS = (
    "How do I rotate an access key?",
    "The committee postponed its decision until the spring.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Photosynthesis turns light, water and carbon dioxide into sugar.",
)
SAME_SPACE = 0.99
"""Least cosine between two vectors of one text by models of one space."""


class CanaryMemory(Protocol):
    """Remembers the vectors of the canary texts in each space, across processes."""

    def recall(self, space: Space) -> Vectors | None:
        """Where the model of `space` put the canaries, if that is known. Raises CacheError."""

    def remember(self, space: Space, vectors: Vectors) -> None:
        """Keep where the model of `space` put the canaries. Raises CacheError."""


def same_space(made: Vectors, expected: Vectors) -> bool:
    """Whether two models put the same texts in the same places: every cosine is at least `SAME_SPACE`."""
    return made.shape == expected.shape and bool((cosines(made, expected) >= SAME_SPACE).all())
