"""Stored vectors that the model makes again: some drawn by lot, and those that look least like what was expected."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from embassay.stores.values import VECTOR
from embassay.vectors import likeness

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.sets.migration.evidence.pairing import Pairing
    from embassay.sets.migration.evidence.side import Side
    from embassay.types import Chunk, Vectors

DRAWN = 1 / 3
"""Of the texts that are recomputed, those drawn by lot, which say something of all rows; the others are suspected."""
ALIKE = 1 / 4
"""Of the suspected, at most as many for sharing their vector with another text."""


@dataclass(frozen=True, slots=True)
class Again:
    """Rows whose vectors were made again."""

    chunks: list[Chunk]
    stored: Vectors
    """float32 (rows, dimensions), as the new generation has them."""
    fresh: Vectors
    """The same rows, as the model makes them now."""
    likeness: npt.NDArray[np.float32]
    """(rows,): the cosine of the two, 1 where both are zero."""
    drawn: int
    """The first so many were drawn by lot; those behind them were suspected."""
    refused: int
    """Texts that the model did not take now."""


@dataclass(slots=True)
class _Chosen:
    """Rows with their stored vectors."""

    chunks: list[Chunk] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)

    def add(self, chunk: Chunk, vector: Vectors) -> None:
        self.chunks.append(chunk)
        self.vectors.append(vector)


def draw(pairing: Pairing, most: int, random: np.random.Generator) -> tuple[_Chosen, int]:
    """(at most so many rows to make again, how many of them were drawn by lot). One pass over the new generation."""
    names = [*pairing.names]
    if len(names) <= most:
        lot, suspects = set(names), 0
    else:
        lot = {names[at] for at in random.choice(len(names), int(DRAWN * most), replace=False)}
        suspects = most - len(lot)
    alike = _alike(pairing, lot, int(ALIKE * suspects), random)
    drawn, marked = _Chosen(), _Chosen()
    odd = _Oddest(suspects - len(alike))
    for chunks, by_label in pairing.new.snapshot.scan():
        both, old = pairing.known(chunks)
        vectors = by_label[VECTOR]
        oddness = pairing.predictor.oddness(old, [chunks[at].indexed for at in both], vectors[both]) if suspects else ()
        for place, at in enumerate(both):
            chunk, vector = chunks[at], vectors[at]
            if chunk.key in lot:
                drawn.add(chunk, vector.copy())
            elif chunk.key in alike:
                marked.add(chunk, vector.copy())
            elif suspects:
                odd.offer(float(oddness[place]), chunk, vector)
    for chunk, vector in odd.taken():
        marked.add(chunk, vector)
    return _Chosen(drawn.chunks + marked.chunks, drawn.vectors + marked.vectors), len(drawn.chunks)


def remake(chosen: _Chosen, drawn: int, side: Side) -> Again:
    """Have the model make the vectors again. Raises as embedding does."""
    import numpy as np

    dimensions = side.generation.space.dimensions
    stored = np.array(chosen.vectors, np.float32).reshape(-1, dimensions)
    fresh, refused = side.vectors([chunk.indexed for chunk in chosen.chunks], "document")
    kept = [at for at in range(len(stored)) if at not in refused]
    drawn -= sum(at < drawn for at in refused)
    stored, fresh = stored[kept], fresh[kept]
    alike = likeness(fresh, stored, side.generation.space.similarity)
    alike[~stored.any(axis=1) & ~fresh.any(axis=1)] = 1.0  # a text without content has the zero vector
    return Again([chosen.chunks[at] for at in kept], stored, fresh, np.nan_to_num(alike, nan=-1.0), drawn, len(refused))


class _Oddest:
    """Keeps the rows of the greatest oddness that it is offered."""

    def __init__(self, most: int) -> None:
        self._most, self._order = most, count()
        self._heap: list[tuple[float, int, Chunk, Vectors]] = []

    def offer(self, oddness: float, chunk: Chunk, vector: Vectors) -> None:
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (oddness, next(self._order), chunk, vector.copy()))
        elif self._heap and oddness > self._heap[0][0]:
            heapq.heapreplace(self._heap, (oddness, next(self._order), chunk, vector.copy()))

    def taken(self) -> list[tuple[Chunk, Vectors]]:
        """Those that are kept, the oddest first."""
        return [(chunk, vector) for _, _, chunk, vector in sorted(self._heap, key=lambda one: (-one[0], one[1]))]


def _alike(pairing: Pairing, lot: Collection[str], most: int, random: np.random.Generator) -> set[str]:
    """Rows whose vector is that of another text too: of each group all but one may be wrong, so two of it are taken."""
    groups = [pairing.alike[at] for at in random.permutation(len(pairing.alike))]
    found: set[str] = set()
    for group in groups:
        keys = [key for key in group if key not in lot and key in pairing.at][:2]
        if len(found) + len(keys) > most:
            break
        found.update(keys)
    return found
