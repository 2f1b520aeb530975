"""Arithmetic on rows of vectors that several folders need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors

UNIT_TOLERANCE = 1e-4
"""Rows whose length differs from 1 by less than this are left as they are."""


def unit_rows(vectors: Vectors) -> Vectors:
    """The rows of `vectors` (n, dimensions) scaled to length 1. Rows of zeros stay zeros."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (np.abs(lengths - 1) < UNIT_TOLERANCE).all():
        return vectors
    made: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return made


def comparable(vectors: Vectors, space: Space) -> Vectors:
    """Rows of length 1, so that a dot product of two of them is their cosine.

    A space whose vectors already have length 1 is taken at its word, and its rows are returned unchanged.
    """
    return vectors if space.normalised else unit_rows(vectors)
