"""Texts whose vectors tell whether two models live in one space, and how close is close enough.

Two runs of the same weights differ by their numeric precision, which costs less than a hundredth of the cosine; other
weights differ by much more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
        """Raises CacheError."""


def cosines(made: Vectors, expected: Vectors) -> npt.NDArray[np.float32]:
    """The cosine of each row of `made` with the same row of `expected`; 0 where either is the zero vector."""
    import numpy as np

    lengths = np.linalg.norm(made, axis=1) * np.linalg.norm(expected, axis=1)
    products = np.einsum("ij,ij->i", made, expected)
    found: npt.NDArray[np.float32] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return found


def same_space(made: Vectors, expected: Vectors) -> bool:
    """Whether two models put the same texts in the same places: every cosine is at least `SAME_SPACE`."""
    return made.shape == expected.shape and bool((cosines(made, expected) >= SAME_SPACE).all())
