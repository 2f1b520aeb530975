"""Makes one inverted index of several, without a look at the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from embassay.stores.hot.inverting import RUN
from embassay.stores.hot.sections import Array
from embassay.stores.hot.writing_words import TermRows, in_order


class Inverted(Protocol):
    """What is needed of a part."""

    rows: int

    @property
    def counts(self) -> Array:
        """Of each term: how many rows have it."""

    def terms(self) -> Iterator[bytes]:
        """Every term in the order of their numbers."""

    def postings_of(self, terms: Array) -> tuple[Array, Array, Array]:
        """For these terms, in any order: the number of a term, a row that has it, and how often it stands there."""


def merged_postings(parts: Sequence[Inverted], order: Array) -> Iterator[TermRows]:
    """What the rows of `order`, (n, 2), hold: the position of a part, and the row there."""
    places = [_places(part.rows, order, at) for at, part in enumerate(parts)]
    terms, numbers = _united(parts)
    sizes = np.zeros(len(terms), np.int64)
    for part, owners in zip(parts, numbers, strict=True):
        np.add.at(sizes, owners, part.counts)
    behind = np.cumsum(sizes)
    at = 0
    while at < len(terms):
        end = max(at + 1, int(np.searchsorted(behind, (behind[at - 1] if at else 0) + RUN, "right")))
        found = [
            _moved(part, np.flatnonzero((owners >= at) & (owners < end)), owners - at, place)
            for part, owners, place in zip(parts, numbers, places, strict=True)
        ]
        yield _sorted(terms[at:end], *(np.concatenate(column) for column in zip(*found, strict=True)))
        at = end


def _places(rows: int, order: Array, part: int) -> Array:
    """The new number of each row of a part; -1 of those that are left out."""
    places = np.full(rows, -1, np.int64)
    chosen = np.flatnonzero(order[:, 0] == part)
    places[order[chosen, 1]] = chosen
    return places


def _united(parts: Sequence[Inverted]) -> tuple[list[bytes], list[Array]]:
    """All terms in the order of a part, and for each of `parts` the positions of its terms among them."""
    seen: dict[bytes, int] = {}
    numbers = [np.array([seen.setdefault(term, len(seen)) for term in part.terms()], np.int64) for part in parts]
    terms = list(seen)
    ordered = in_order(terms)
    positions = np.zeros(len(terms), np.int64)
    positions[ordered] = np.arange(len(terms))
    return [terms[number] for number in ordered], [positions[owners] for owners in numbers]


def _moved(part: Inverted, terms: Array, positions: Array, places: Array) -> tuple[Array, Array, Array]:
    """The postings of some terms of a part: the positions of the terms, the new numbers of the rows, frequencies."""
    owners, rows, frequencies = part.postings_of(terms)
    moved = places[rows]
    kept = moved >= 0
    return positions[owners[kept]], moved[kept], frequencies[kept]


def _sorted(terms: Sequence[bytes], owners: Array, rows: Array, frequencies: Array) -> TermRows:
    """Postings by term and row; terms that have none are left out."""
    order = np.argsort(owners << 32 | rows)
    counts = np.bincount(owners, minlength=len(terms))
    held = np.flatnonzero(counts)
    return TermRows([terms[at] for at in held.tolist()], counts[held], rows[order], frequencies[order])
