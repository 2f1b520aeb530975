"""Product quantisation: four numbers a byte, the nearest of 256 that k-means found for these four (Jégou et al., 2011).

A query keeps its numbers: its product with a row is the sum of its products with the row's centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.compress.base import Code, Coding
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.types import Vectors

NUMBERS = 4
"""Of a vector that one byte stands for."""
CENTRES = 256
ROUNDS = 12
"""Of k-means; more of them change the error by less than a hundredth."""
MOST = 16_384
"""Rows of the sample that the centres are found by."""


@dataclass(frozen=True, eq=False)
class Products(Coding):
    """The number of a centre for each piece of a row."""

    centres: Vectors
    """(pieces, CENTRES, numbers of a piece)"""

    def pack(self, rows: Vectors) -> Any:
        pieces = _pieces(rows)
        return np.stack([_nearest(piece, own) for piece, own in zip(pieces, self.centres, strict=True)], axis=1)

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        found = np.zeros((len(packed), len(queries)), np.float32)
        for at, (piece, own) in enumerate(zip(_pieces(queries), self.centres, strict=True)):
            found += (own @ piece.T)[packed[:, at]]
        return found


class ProductQuantisation(Code):
    """A sixteenth of the bytes."""

    def size(self, dimensions: int) -> float:
        return -(-dimensions // NUMBERS)

    def fit(self, sample: Vectors) -> Products:
        if len(sample) < CENTRES:
            raise UsageError(f"product quantisation is fitted to {CENTRES} vectors or more; here are {len(sample)}.")
        chosen = np.random.default_rng(0).permutation(len(sample))[:MOST]
        return Products(np.stack([_centres(piece) for piece in _pieces(sample[chosen])]))


def _pieces(rows: Vectors) -> Vectors:
    """(pieces, n, NUMBERS); the last one is filled up with zeros."""
    missing = -rows.shape[1] % NUMBERS
    whole = np.pad(rows, ((0, 0), (0, missing))) if missing else rows
    pieces: Vectors = np.ascontiguousarray(whole.reshape(len(rows), -1, NUMBERS).transpose(1, 0, 2))
    return pieces


def _centres(piece: Vectors) -> Vectors:
    """k-means (Lloyd) from rows of the piece itself; a centre that nothing is nearest to stays where it is."""
    centres = piece[:CENTRES].copy()
    for _ in range(ROUNDS):
        nearest = _nearest(piece, centres)
        counts = np.bincount(nearest, minlength=CENTRES)
        sums = np.stack([np.bincount(nearest, column, CENTRES) for column in piece.T], axis=1)
        centres[counts > 0] = sums[counts > 0] / counts[counts > 0, None]
    return centres


def _nearest(piece: Vectors, centres: Vectors) -> Any:
    distances = (centres**2).sum(axis=1) - 2 * (piece @ centres.T)
    return distances.argmin(axis=1).astype(np.uint8)


CODE = ProductQuantisation()
