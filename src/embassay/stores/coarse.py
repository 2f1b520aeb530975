"""Coarse vectors: those of a few dimensions that are made of the stored ones, to search fast before ranking exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors

    Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, eq=False)
class CoarseForm:
    """How coarse vectors are made: a cut that the model was trained for, or a PCA of the set."""

    space: Space
    """Of the coarse vectors. Its transform names the cut, or the PCA with its digest."""
    apply: Callable[[Vectors], Vectors]
    """float32 (n, dimensions of `space`) of stored vectors, or of those of queries."""

    @property
    def name(self) -> str:
        """Equal for equal coarse vectors of one store."""
        return f"{self.space.transform}:{self.space.dimensions}"


class CoarseRows:
    """The coarse vectors of rows that do not change, made when they are first asked for. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Vectors] = {}

    def made(self, form: CoarseForm, blocks: Callable[[], Iterable[Vectors]]) -> Vectors:
        """float32 (rows, dimensions): the coarse vectors of all rows. `blocks` reads the stored ones in their order."""
        with self._lock:
            if form.name not in self._made:
                made = [np.ascontiguousarray(form.apply(block), np.float32) for block in blocks()]
                empty = np.zeros((0, form.space.dimensions), np.float32)
                self._made[form.name] = np.concatenate(made) if made else empty
            return self._made[form.name]


def nearest(coarse: Vectors, query: Vectors, k: int, mask: Any = None) -> tuple[Ints, Vectors]:
    """The k rows of `coarse` (n, dimensions) of greatest product with `query` (dimensions,), best first, and their
    products; with `mask` among those rows alone."""
    products = coarse @ query
    rows = np.arange(len(products)) if mask is None else np.flatnonzero(mask)
    scores = products[rows]
    if k < len(rows):
        best = np.argpartition(-scores, k - 1)[:k]
        rows, scores = rows[best], scores[best]
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
