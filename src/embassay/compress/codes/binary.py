"""One bit a number: its sign. The query keeps its numbers, which orders rows better than bits of both sides do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.compress.base import Code, Coding

if TYPE_CHECKING:
    from embassay.types import Vectors


@dataclass(frozen=True)
class Signs(Coding):
    """Signs, eight a byte."""

    dimensions: int

    def pack(self, rows: Vectors) -> Any:
        return np.packbits(rows > 0, axis=1)

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        bits = np.unpackbits(packed, axis=1, count=self.dimensions).astype(np.float32)
        found: Vectors = bits @ (2 * queries).T - queries.sum(axis=1)
        return found


class Binary(Code):
    """A thirty-second of the bytes."""

    def size(self, dimensions: int) -> float:
        return -(-dimensions // 8)

    def fit(self, sample: Vectors) -> Signs:
        return Signs(sample.shape[1])


CODE = Binary()
