"""One byte a number: each row as whole numbers of its own greatest one, as the store keeps ``int8``.

RowScaled that are compared by cosine have length 1, so that no scale has to be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from embassay.compress.base import Code, Coding
from embassay.stores.dtypes import packed as stored
from embassay.stores.dtypes import unpacked
from embassay.stores.hot.kernel import products

if TYPE_CHECKING:
    from embassay.types import Vectors


class RowScaled(Coding):
    """RowScaled scaled by their greatest number."""

    def pack(self, rows: Vectors) -> Any:
        return stored(rows, "int8")

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        found: Vectors = unpacked(packed, "int8") @ queries.T
        return found

    def scan(self, packed: Any, query: Vectors) -> Vectors:
        return products(packed, stored(query[None], "int8")[0])


class Int8(Code):
    """A quarter of the bytes."""

    dtype: ClassVar[str] = "int8"
    reduced: ClassVar[bool] = True

    def size(self, dimensions: int) -> float:
        return dimensions

    def fit(self, sample: Vectors) -> RowScaled:  # noqa: ARG002
        return RowScaled()


CODE = Int8()
