"""The contract of a code, a way to keep the numbers of a vector in fewer bytes: one file in `codes/`.

The file's ``CODE`` is a `Code`. It is measured on the vectors of a set as they are stored; whether a store can keep it
is another question, which `Code.dtype` answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from embassay.types import Vectors


class Coding(ABC):
    """A code that was fitted to the vectors of a set."""

    @abstractmethod
    def pack(self, rows: Vectors) -> Any:
        """Rows (n, dimensions) as an array whose first axis is theirs, in the bytes that they are kept as."""

    @abstractmethod
    def products(self, packed: Any, queries: Vectors) -> Vectors:
        """float32 (n, queries): how near each packed row is to each of `queries` (queries, dimensions); greater is
        nearer."""

    def scan(self, packed: Any, query: Vectors) -> Vectors:
        """float32 (n,): the same for one query (dimensions,), as fast as it can be done here. It is what is timed."""
        return self.products(packed, query[None])[:, 0]


class Code(ABC):
    """A way to keep vectors."""

    dtype: ClassVar[str] = ""
    """Under which a store keeps it, see `embassay.stores.dtypes`; empty where no store does."""
    reduced: ClassVar[bool] = False
    """Whether it is measured on vectors of fewer dimensions as well."""

    @abstractmethod
    def size(self, dimensions: int) -> float:
        """Bytes of a vector of so many dimensions."""

    @abstractmethod
    def fit(self, sample: Vectors) -> Coding:
        """Choose its parameters by a sample (n, dimensions) of the vectors. Raises UsageError where those do not do."""
