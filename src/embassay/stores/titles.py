"""BM25 where words of titles are weighed, over rows that are held in memory: exact, and the same for any weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.values import BM25_B, BM25_K1

if TYPE_CHECKING:
    from embassay.types import Vectors


class TitledWords:
    """Of every term the rows that have it, and how often it stands in each of them and in its title."""

    def __init__(self, rows: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        """`rows` are the terms of each row, those of its title among them, and the terms of its title alone."""
        found: dict[str, list[tuple[int, int, int]]] = {}
        lengths: list[tuple[int, int]] = []
        for row, (terms, title) in enumerate(rows):
            lengths.append((len(terms), len(title)))
            above = Counter(title)
            for term, often in Counter(terms).items():
                found.setdefault(term, []).append((row, often, above[term]))
        self._postings = {term: np.array(rows, np.int64).T for term, rows in found.items()}
        self._lengths, self._of_titles = np.array(lengths, np.float64).reshape(-1, 2).T

    def scores(self, asked: Mapping[str, float], title: float) -> Vectors:
        """float32 (rows,): the score of every row for the terms that are `asked`, each with its weight, where words of
        titles count `title` times."""
        lengths = self._lengths + (title - 1) * self._of_titles
        total = float(lengths.sum())
        average = total / len(lengths) if total > 0 else 1.0
        norms = BM25_K1 * (1 - BM25_B + BM25_B * np.maximum(lengths, 0) / average)
        scores = np.zeros(len(lengths))
        for term, weight in asked.items():
            if term not in self._postings:
                continue
            rows, often, above = self._postings[term]
            frequencies = np.maximum(often + (title - 1) * above, 0)
            rarity = np.log1p((len(lengths) - len(rows) + 0.5) / (len(rows) + 0.5))
            scores[rows] += weight * rarity * frequencies / (frequencies + norms[rows])
        found: Vectors = scores.astype(np.float32)
        return found
