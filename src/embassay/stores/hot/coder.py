"""Short codes of vectors, and how far a product of codes can be from the product of what they stand for.

Rows are centred and turned so that their first numbers hold most of their variance (principal components); the numbers
after those are left out, and the length of what is left out is kept. Numbers that are kept become whole ones of one
byte, with a scale for each row. Before that they are turned once more, by a random rotation, so that none of them is
much greater than the others (as in RaBitQ, Gao and Long 2024).

The product of a row x with a query q is that of their centre, plus that of the kept numbers, plus that of what was left
out. By the inequality of Cauchy and Schwarz the last is at most the product of two lengths, and so are the errors of
rounding. The bound that follows (`embassay.stores.hot.codes.Bounded`) is never exceeded, whatever the vectors are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.vectors import SHORTEST

if TYPE_CHECKING:
    from embassay.types import Vectors

    Codes = np.ndarray[Any, np.dtype[np.int8]]
    Squares = np.ndarray[Any, np.dtype[np.float64]]

KEPT, FIRST = 0.95, 0.7
"""Of the variance: what all codes hold, and what those of the first step hold."""
STEP = 32
"""Numbers are kept in multiples of it: half a line of the processor's cache."""
NEARLY_ALL = 0.9
"""Where more than this share of the numbers would be kept, all are."""
LARGEST = 127
ROUNDING = 1e-5
"""Of a product in float32, against the product of the two lengths."""
SEED = 0


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Rows as one level keeps them."""

    codes: Codes
    scales: Vectors
    squares: Squares
    """Of the length of each row in the axes of the level."""
    error: float
    """The length of what rounding lost of a row, against its scale, at most."""
    length: float
    """Of what the codes of a row stand for, at most."""


@dataclass(frozen=True, slots=True)
class Level:
    """A part of the kept numbers, which is coded and scanned by itself."""

    axes: Vectors
    """(dimensions, numbers), of length 1 and at right angles to each other."""

    def coded(self, centred: Vectors) -> CodedRows:
        """The codes of rows (n, dimensions) from which the mean was taken."""
        turned = centred @ self.axes
        scales = np.maximum(np.abs(turned).max(axis=1) / LARGEST, SHORTEST).astype(np.float32)
        scaled = turned / scales[:, None]
        whole = np.rint(scaled).clip(-LARGEST, LARGEST)
        return CodedRows(
            whole.astype(np.int8),
            scales,
            np.einsum("ij,ij->i", turned, turned, dtype=np.float64),
            float(np.linalg.norm(scaled - whole, axis=1).max()),
            float((np.linalg.norm(whole, axis=1) * scales).max()),
        )


@dataclass(frozen=True, slots=True)
class CodedQuery:
    """A query as one level sees it."""

    codes: Codes
    scale: float
    length: float
    """Of the query in the axes of the level."""
    error: float
    """The length of what its own rounding lost."""


@dataclass(frozen=True, slots=True)
class Coder:
    """How the vectors of one part are coded."""

    mean: Vectors
    levels: tuple[Level, ...]

    @classmethod
    def fitted(cls, sample: Vectors, *, one_step: int) -> Coder:
        """The coder for vectors of which `sample` (n, dimensions) is a fair choice.

        It has two levels where more than `one_step` numbers of a row have to be kept.
        """
        mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = sample - mean
        variances, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1]
        kept = _enough(variances, KEPT)
        if kept > NEARLY_ALL * len(mean):
            kept = len(mean)
        first = _enough(variances, FIRST) if kept > one_step else kept
        cuts = [0, first, kept] if first < kept else [0, kept]
        return cls(mean, tuple(_level(axes[:, a:b]) for a, b in pairwise(cuts)))

    def asked(self, vector: Vectors) -> tuple[list[CodedQuery], float]:
        """A query for each level, and the length of what is outside of them all, rounded up."""
        rest, found = vector, []
        for level in self.levels:
            turned = vector @ level.axes
            scale = max(float(np.abs(turned).max()) / LARGEST, SHORTEST)
            whole = np.rint(turned / scale).clip(-LARGEST, LARGEST)
            error = float(np.linalg.norm(turned - scale * whole))
            found.append(CodedQuery(whole.astype(np.int8), scale, float(np.linalg.norm(turned)), error))
            rest = rest - level.axes @ turned
        return found, float(np.linalg.norm(rest) + ROUNDING * np.linalg.norm(vector))


def outside(squares: Squares, kept: Squares) -> Vectors:
    """The length of what no level keeps of rows, rounded up: from the squares of their lengths (n,), and of the lengths
    in each level (levels, n)."""
    rest = np.maximum(squares - kept.sum(axis=0), 0) + 4e-6 * squares
    rounded_up: Vectors = np.nextafter(np.sqrt(rest).astype(np.float32), np.float32(np.inf))
    return rounded_up


def _enough(variances: Vectors, share: float) -> int:
    """How many of the greatest variances make up `share` of them all, as a multiple of `STEP`."""
    sums = np.cumsum(variances)
    needed = int(np.searchsorted(sums, share * sums[-1])) + 1
    return min(-(-needed // STEP) * STEP, len(variances))


def _level(axes: Vectors) -> Level:
    count = axes.shape[1]
    turn, _ = np.linalg.qr(np.random.default_rng(SEED).standard_normal((count, count)))
    return Level(np.ascontiguousarray(axes @ turn, np.float32))
