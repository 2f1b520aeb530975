"""Two bytes a number: eleven bits of each, as the store keeps ``float16``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from embassay.compress.base import Code, Coding
from embassay.stores.dtypes import packed as stored
from embassay.stores.dtypes import unpacked
from embassay.stores.hot.kernel import products

if TYPE_CHECKING:
    from embassay.types import Vectors


class Halves(Coding):
    """Numbers rounded to float16."""

    def pack(self, rows: Vectors) -> Any:
        return stored(rows, "float16")

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        found: Vectors = unpacked(packed, "float16") @ queries.T
        return found

    def scan(self, packed: Any, query: Vectors) -> Vectors:
        return products(packed, query.astype(np.float16))


class Float16(Code):
    """Half of the bytes."""

    dtype: ClassVar[str] = "float16"

    def size(self, dimensions: int) -> float:
        return 2 * dimensions

    def fit(self, sample: Vectors) -> Halves:  # noqa: ARG002
        return Halves()


CODE = Float16()
