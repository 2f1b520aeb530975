"""Texts whose vectors tell whether two models live in one space, and how close is close enough.

Two runs of the same weights differ by their numeric precision, which costs less than a hundredth of the cosine; other
weights differ by much more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from embassay.types import ROLES
from embassay.vectors import likeness

if TYPE_CHECKING:
    from embassay.space import Similarity, Space
    from embassay.types import Role, Vectors

CANARY_TEXTS = (
    "How do I rotate an access key?",
    "The committee postponed its decision until the spring.",
    "def area(radius): return 3.14159 * radius ** 2",
    "Photosynthesis turns light, water and carbon dioxide into sugar.",
)
CANARY_TOKENS = 24
"""More tokens than any tokenizer in use makes of one canary, special tokens included."""
SAME_SPACE = 0.99
"""Least cosine between two vectors of one text by models of one space."""

Canaries = Mapping["Role", "Vectors"]
"""Where a model puts the canary texts in each role: float32 (number of canaries, dimensions)."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the model of a set put the canaries when the set was made: what every later vector is held against."""

    own: Canaries
    """The model's own vectors, as its service gives them."""
    made: Canaries
    """Those that the set holds: with terms spelled out, and cut to its dimensions."""

    @property
    def is_plain(self) -> bool:
        """Whether the set holds the model's own vectors as they are."""
        return self.own is self.made

    @property
    def digest(self) -> str:
        """16 hex digits, equal for equal vectors."""
        digest = blake2b(digest_size=8)
        for canaries in (self.own, self.made):
            for role in ROLES:
                digest.update(canaries[role].tobytes())
        return digest.hexdigest()


class CanaryMemory(Protocol):
    """Remembers the vectors of the canary texts in each space and role, across processes."""

    def recall(self, space: Space, role: Role) -> Vectors | None:
        """Where the model of `space` put the canaries, if that is known. Raises CacheError."""

    def remember(self, space: Space, role: Role, vectors: Vectors) -> Vectors:
        """Keep where it puts them, unless that is known. What is known now. Raises CacheError."""


def least_likeness(made: Vectors, expected: Vectors, similarity: Similarity) -> float:
    """The least likeness of a row of `made` to the same row of `expected`; -1 where they have other shapes.

    It is the cosine, and less where vectors are compared by dot product and have another length: see `likeness`.
    """
    return float(likeness(made, expected, similarity).min()) if made.shape == expected.shape and made.size else -1.0
