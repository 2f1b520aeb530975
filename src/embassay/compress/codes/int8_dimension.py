"""One byte a number, with a scale for each dimension: its greatest number in a sample of the set is 127."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.compress.base import Code, Coding
from embassay.stores.dtypes import LARGEST
from embassay.stores.hot.kernel import products
from embassay.vectors import SHORTEST

if TYPE_CHECKING:
    from embassay.types import Vectors


@dataclass(frozen=True, eq=False)
class Dimensions(Coding):
    """Numbers in steps of their dimension's own."""

    steps: Vectors
    """(dimensions,)"""

    def pack(self, rows: Vectors) -> Any:
        return np.rint(np.clip(rows / self.steps, -LARGEST, LARGEST)).astype(np.int8)

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        found: Vectors = packed.astype(np.float32) @ (queries * self.steps).T
        return found

    def scan(self, packed: Any, query: Vectors) -> Vectors:
        scaled = query * self.steps
        whole = np.rint(scaled * (LARGEST / max(float(np.abs(scaled).max()), SHORTEST))).astype(np.int8)
        return products(packed, whole)


class Int8Dimension(Code):
    """Products are those of numbers in steps; a query is not rounded."""

    def size(self, dimensions: int) -> float:
        return dimensions

    def fit(self, sample: Vectors) -> Dimensions:
        greatest = np.maximum(np.abs(sample).max(axis=0), SHORTEST)
        return Dimensions((greatest / LARGEST).astype(np.float32))


CODE = Int8Dimension()
