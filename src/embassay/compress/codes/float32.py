"""Four bytes a number: vectors as models make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from embassay.compress.base import Code, Coding
from embassay.stores.hot.kernel import products

if TYPE_CHECKING:
    from embassay.types import Vectors


class Whole(Coding):
    """Numbers as they are."""

    def pack(self, rows: Vectors) -> Any:
        return np.ascontiguousarray(rows, np.float32)

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        found: Vectors = packed @ queries.T
        return found

    def scan(self, packed: Any, query: Vectors) -> Vectors:
        return products(packed, query)


class Float32(Code):
    """What the others are held against; of fewer dimensions it is a compression itself."""

    dtype: ClassVar[str] = "float32"
    reduced: ClassVar[bool] = True

    def size(self, dimensions: int) -> float:
        return 4 * dimensions

    def fit(self, sample: Vectors) -> Whole:  # noqa: ARG002
        return Whole()


CODE = Float32()
