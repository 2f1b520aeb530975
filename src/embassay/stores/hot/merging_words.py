"""Makes one inverted index of several, without a look at the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from embassay.stores.hot.inverting import RUN
from embassay.stores.hot.sections import Array
from embassay.stores.hot.writing_words import Postings

Holders = Sequence[tuple[int, int]]
"""In which parts a term stands, and which number it has there."""


class Inverted(Protocol):
    """What is needed of a part."""

    rows: int

    def postings(self, term: int) -> tuple[Array, Array]:
        """The rows of the term of this number, ascending, and how often it stands in each."""


def merged_postings(parts: Sequence[Inverted], order: Array, terms: Sequence[Holders]) -> Iterator[Postings]:
    """The postings of `terms`, some at a time, in a part whose rows are those of `order`, (n, 2): part and row."""
    places = [np.full(part.rows, -1, np.int64) for part in parts]
    for at, place in enumerate(places):
        chosen = np.flatnonzero(order[:, 0] == at)
        place[order[chosen, 1]] = chosen
    counts, rows, frequencies, size = list[int](), list[Array](), list[Array](), 0
    for holders in terms:
        found = [_moved(parts[part].postings(number), places[part]) for part, number in holders]
        held = np.concatenate([moved for moved, _ in found])
        often = np.concatenate([kept for _, kept in found])
        if (np.diff(held) < 0).any():
            ascending = np.argsort(held)
            held, often = held[ascending], often[ascending]
        counts.append(len(held))
        rows.append(held)
        frequencies.append(often)
        size += len(held)
        if size >= RUN:
            yield np.array(counts), np.concatenate(rows), np.concatenate(frequencies)
            counts, rows, frequencies, size = [], [], [], 0
    if counts:
        yield np.array(counts), np.concatenate(rows), np.concatenate(frequencies)


def _moved(postings: tuple[Array, Array], places: Array) -> tuple[Array, Array]:
    """The postings of rows that are taken over, by their new numbers."""
    rows, frequencies = postings
    moved = places[rows]
    kept = moved >= 0
    return moved[kept], frequencies[kept].astype(np.int64)
