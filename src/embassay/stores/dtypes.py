"""How the numbers of stored vectors are kept: as they are, or in fewer bytes.

What a store reads back is always float32. ``float16`` keeps eleven bits of each number. ``int8`` keeps each row as
whole numbers from -127 to 127 of its own greatest one; the scale is not kept, because rows that are compared by cosine
have length 1, and are scaled to it again when they are read. Packing what was read gives the same bytes, so that rows
which are read and written again do not drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embassay.errors import UsageError
from embassay.text import did_you_mean
from embassay.vectors import SHORTEST

if TYPE_CHECKING:
    from embassay.types import Vectors

FLOAT32 = "float32"
DTYPES = (FLOAT32, "float16", "int8")
LARGEST = 127
"""Of the whole numbers that a row of ``int8`` is kept as."""
BLOCK = 8192
"""Rows that are unpacked at a time."""
BYTES = {FLOAT32: 4, "float16": 2, "int8": 1}
"""Of one number."""


def check_dtype(dtype: str) -> None:
    """Raises UsageError for a type that vectors are not kept as."""
    if dtype not in DTYPES:
        raise UsageError(
            f"vectors are kept as {', '.join(DTYPES)}, not as {dtype!r}.", remedy=did_you_mean(dtype, DTYPES)
        )


def packed(vectors: Vectors, dtype: str) -> Any:
    """Rows (n, dimensions) in the type that they are kept as."""
    import numpy as np

    if dtype != "int8":
        return np.ascontiguousarray(vectors, dtype)
    greatest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True, initial=0), SHORTEST)
    return np.rint(vectors * (LARGEST / greatest)).astype(np.int8)


def unpacked(rows: Any, dtype: str) -> Vectors:
    """float32 (n, dimensions) of what `packed` made. Rows of ``int8`` have length 1, or 0 where all numbers are 0."""
    import numpy as np

    vectors: Vectors = np.asarray(rows, np.float32)
    if dtype != "int8":
        return vectors
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    scaled: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return scaled


def rounded(vectors: Vectors, dtype: str) -> Vectors:
    """What is read back where `vectors` were stored."""
    return unpacked(packed(vectors, dtype), dtype)


def products(rows: Any, vector: Vectors, dtype: str) -> Vectors:
    """float32 (n,): the dot product of each row with `vector` (dimensions,).

    Rows that are float32 already are taken as they are, whatever `dtype` they were kept as; others are unpacked a block
    at a time, so that they never stand in memory as float32 all at once.
    """
    import numpy as np

    if rows.dtype == np.float32:
        whole: Vectors = rows @ vector
        return whole
    scores = np.empty(len(rows), np.float32)
    for at in range(0, len(rows), BLOCK):
        scores[at : at + BLOCK] = unpacked(rows[at : at + BLOCK], dtype) @ vector
    return scores
