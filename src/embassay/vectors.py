"""Arithmetic on rows of vectors that several folders need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from embassay.space import Similarity, Space
    from embassay.types import Vectors

UNIT_TOLERANCE = 1e-4
"""Rows whose length differs from 1 by less than this are left as they are."""
SAME_LENGTH = 0.05
"""Lengths of one text's vectors at two precisions differ by less than this share."""
SOUND_TOLERANCE = 1e-2
"""A vector of length 1 at any precision differs from it by less than this."""
SHORTEST = 1e-12
"""A length or a weight below this is taken for this, so that nothing is divided by zero."""


def unit_rows(vectors: Vectors) -> Vectors:
    """The rows of `vectors` (n, dimensions) scaled to length 1. Rows of zeros stay zeros."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (np.abs(lengths - 1) < UNIT_TOLERANCE).all():
        return vectors
    made: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return made


def comparable(vectors: Vectors, space: Space) -> Vectors:
    """Rows whose dot product says how alike two of them are: what is stored, and what a store is asked with.

    In a space that is compared by cosine they have length 1. One whose vectors already have it is taken at its word,
    and its rows are returned unchanged. In a space that is compared by dot product the length belongs to the vector,
    and is kept.
    """
    return vectors if space.normalised or space.similarity == "dot" else unit_rows(vectors)


def sound_rows(vectors: Vectors, *, normalised: bool) -> npt.NDArray[np.bool_]:
    """Which rows can be vectors of a text: finite, not zero, and of length 1 where the space is `normalised`."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1)
    sound: npt.NDArray[np.bool_] = np.isfinite(lengths) & (lengths > 0)
    return sound & (np.abs(lengths - 1) < SOUND_TOLERANCE) if normalised else sound


def storable_rows(vectors: Vectors, similarity: Similarity) -> npt.NDArray[np.bool_]:
    """Which rows can have been stored: finite, and of length 1 or 0 where they are compared by cosine."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1)
    sound: npt.NDArray[np.bool_] = np.isfinite(lengths)
    return sound if similarity == "dot" else (np.abs(lengths - 1) < SOUND_TOLERANCE) | (lengths == 0)


def cosines(made: Vectors, expected: Vectors) -> npt.NDArray[np.float32]:
    """The cosine of each row of `made` with the same row of `expected`; 0 where either is the zero vector."""
    import numpy as np

    lengths = np.linalg.norm(made, axis=1) * np.linalg.norm(expected, axis=1)
    products = np.einsum("ij,ij->i", made, expected)
    found: npt.NDArray[np.float32] = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return found


def likeness(made: Vectors, expected: Vectors, similarity: Similarity) -> npt.NDArray[np.float32]:
    """How sure it is that each row of `made` is the same row of `expected`, made again: their cosine, at most 1.

    Where vectors are compared by dot product their lengths belong to them: of a row whose length differs by more than
    `SAME_LENGTH` the cosine is multiplied by the ratio of the lengths.
    """
    import numpy as np

    found = cosines(made, expected)
    if similarity == "cosine":
        return found
    lengths = np.linalg.norm(made, axis=1), np.linalg.norm(expected, axis=1)
    ratio = np.minimum(*lengths) / np.maximum(np.maximum(*lengths), SHORTEST)
    same: npt.NDArray[np.float32] = np.where(ratio >= 1 - SAME_LENGTH, found, found * ratio).astype(np.float32)
    return same


def mean_of_parts(
    vectors: Vectors, owners: Sequence[int], weights: Sequence[int], count: int, *, normalised: bool
) -> Vectors:
    """One row for each of `count` texts: the mean of its parts, weighted by their tokens.

    `vectors` (parts, dimensions) are those of the parts, `owners` says whose part each is, and `weights` how many
    tokens it has. A text without parts has the zero vector. With `normalised` the means are scaled to length 1.
    """
    import numpy as np

    if list(owners) == list(range(count)):
        return vectors
    weight = np.asarray(weights, np.float32)[:, None]
    total = np.zeros((count, vectors.shape[1]), np.float32)
    if len(set(owners)) == len(owners):
        total[list(owners)] = vectors
        return total
    np.add.at(total, list(owners), vectors * weight)
    if normalised:
        total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), SHORTEST)
        return total
    shares = np.bincount(list(owners), weight[:, 0], minlength=count)[:, None]
    total /= np.maximum(shares, SHORTEST)
    return total
