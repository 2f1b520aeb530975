"""Token vectors in a few bytes: two neighbours as one vector, and one bit for each of its numbers.

A vector is turned by a fixed rotation, which spreads over all numbers what a model keeps in a few of them, and of each
number its sign is kept. A query keeps its full precision: the sum of its numbers under those signs is, but for a
constant, the cosine, with an error that falls as the dimensions grow (Charikar, "Similarity estimation techniques from
rounding algorithms", 2002; Gao and Long, "RaBitQ", SIGMOD 2024). The rotation is made of signs, permutations and
Hadamard matrices, so that it is the same on every machine, and nothing of it has to be kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.dtypes import LARGEST
from embassay.vectors import SHORTEST

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

    Bytes = npt.NDArray[np.uint8]

NAME = "pairs-signs-1"
"""Of this way to pack, which stands with what it packed."""
NEIGHBOURS = 2
"""Tokens that share a vector: the mean of theirs."""
ROUNDS = 3
"""After so many every number of a vector reaches every other one, for all widths that models have."""


@dataclass(frozen=True, slots=True)
class PackedTokens:
    """The tokens of one text."""

    ids: npt.NDArray[np.int32]
    """Which ones they are, each once, in ascending order."""
    codes: Bytes
    """(vectors, bytes): the signs of eight numbers a byte."""

    def is_of(self, width: int) -> bool:
        """Whether there is something to be compared with vectors of this width."""
        return len(self.codes) > 0 and self.codes.shape[1] == bytes_of(width)

    @property
    def nbytes(self) -> int:
        """How much it takes."""
        return int(self.ids.nbytes + self.codes.nbytes)


def pack(ids: npt.NDArray[np.int32], vectors: Vectors) -> PackedTokens:
    """The tokens `ids` (tokens,), in the order of the text, with their `vectors` (tokens, width) of length 1."""
    starts = np.arange(0, len(vectors), NEIGHBOURS)
    sums = np.add.reduceat(vectors, starts, axis=0) if len(starts) else vectors
    return PackedTokens(np.unique(ids), np.packbits(sums @ rotation(vectors.shape[1]) > 0, axis=1))


def bytes_of(width: int) -> int:
    """Bytes of one code of vectors of `width`."""
    return (width + 7) // 8


def cosines(query: Vectors, codes: Bytes) -> Vectors:
    """float32 (tokens, vectors): the products of a query's vectors (tokens, width) with codes (vectors, bytes of the
    width), which are their cosines, nearly, but for the factor sqrt(2 / pi).

    Numbers of the query become whole ones of one byte: what that loses is a hundredth of what the signs lose.
    """
    from embassay.stores.hot.kernel import products_of_each

    width = query.shape[1]
    made = (query @ rotation(width)) * np.float32(1 / np.sqrt(width))
    scales = np.maximum(np.abs(made).max(axis=1, initial=0) / LARGEST, SHORTEST).astype(np.float32)
    whole = np.rint(made / scales[:, None]).astype(np.int8)
    found = products_of_each(signs(codes), np.pad(whole, ((0, 0), (0, 8 * bytes_of(width) - width))))
    found *= scales[:, None]
    return found


def signs(codes: Bytes) -> npt.NDArray[np.int8]:
    """int8 (vectors, 8 * bytes) of codes (vectors, bytes): 1 for a number above zero, and -1."""
    made: npt.NDArray[np.int8] = _EIGHTS[codes].view(np.int8)
    return made


@lru_cache(maxsize=4)
def rotation(width: int) -> Vectors:
    """float32 (width, width), orthogonal."""
    made = np.eye(width, dtype=np.float64)
    block = width & -width  # the greatest power of two that divides it
    mixed = _hadamard(block)
    for turn in range(ROUNDS):
        made = made * _signs(width, turn)
        made = (made.reshape(width, width // block, block) @ mixed).reshape(width, width)
        made = made.reshape(width, width // block, block).swapaxes(1, 2).reshape(width, width)
    final: Vectors = np.ascontiguousarray(made.astype(np.float32))
    return final


def _hadamard(size: int) -> npt.NDArray[np.float64]:
    """Sylvester's, scaled to be orthogonal."""
    made = np.ones((1, 1))
    while len(made) < size:
        made = np.block([[made, made], [made, -made]])
    scaled: npt.NDArray[np.float64] = made / np.sqrt(size)
    return scaled


def _signs(count: int, turn: int) -> npt.NDArray[np.float64]:
    drawn = hashlib.shake_256(f"{NAME} {turn}".encode()).digest(count)
    return np.frombuffer(drawn, np.uint8).astype(np.float64) % 2 * 2 - 1


_EIGHTS = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2 - 1).astype(np.int8).view(np.int64)[:, 0]
"""For each byte its eight signs side by side, as one value: to look up one is as fast as to look up the other."""
