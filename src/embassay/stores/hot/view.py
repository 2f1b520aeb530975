"""The rows of a collection at one version: those of its parts, and those of the log behind them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay.stores.hot.coarse import CoarsePart
from embassay.stores.hot.recent import Mask, RecentRows, Rows
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.titles import Titles, have_titles, titles_of
from embassay.stores.hot.vectors import VectorPart
from embassay.stores.hot.words import WordPart
from embassay.words.near import TermCounts

if TYPE_CHECKING:
    from embassay.stores.values import Collection

BLOCK = 4096
"""Rows that are read at a time."""


class Part:
    """The files of one part, open. Raises HotIndexDamaged."""

    def __init__(self, folder: Path, name: str, collection: Collection) -> None:
        self.name = name
        self.chunks = RowPart(folder, name)
        self.words = WordPart(folder, name)
        self.vectors = {
            label: VectorPart(folder, of_label(name, label), spec)
            for label, spec in collection.vectors.items()
            if not spec.many
        }
        self.rows = self.chunks.rows
        self.coarse = {
            label: CoarsePart(folder, of_label(name, label), vectors) for label, vectors in self.vectors.items()
        }
        self._folder, self._cut = folder, collection.analyser.terms
        self._titles: Titles | None = None
        self._making = threading.Lock()

    @property
    def titles(self) -> Titles:
        """The words in titles of its rows, made when they are first asked for."""
        with self._making:
            if self._titles is None:
                self._titles = titles_of(self._folder, self.name, self.chunks, self._cut)
            return self._titles

    @property
    def has_titles(self) -> bool:
        """Whether these have been made."""
        return have_titles(self._folder, self.name)


def of_label(name: str, label: str) -> str:
    """What the files of a part are called that hold the vectors of a label."""
    return f"{name}.{label}"


@dataclass(frozen=True)
class HotView:
    """Threads may share it: it never changes."""

    version: int
    parts: Sequence[Part]
    alive: Sequence[Mask | None]
    """Of each part the rows that were not removed: bool (rows,); None where none was."""
    recent: RecentRows

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        in_parts = (part.rows if alive is None else int(alive.sum()) for part, alive in self.each())
        return sum(in_parts) + int(self.recent.alive.sum())

    @cached_property
    def terms(self) -> int:
        """How many terms all rows have together."""
        in_parts = (
            part.words.total_terms if alive is None else int(part.words.lengths[alive].sum(dtype=np.int64))
            for part, alive in self.each()
        )
        return sum(in_parts) + int(self.recent.lengths[self.recent.alive].sum())

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        """Every term that a row has, and how many rows have it."""
        found: Counter[str] = Counter()
        for part, alive in self.each():
            found.update(dict(part.words.vocabulary(alive)))
        recent = list(self.recent.vocabulary())
        rows = zip(recent, self.recent.frequencies(recent).tolist(), strict=True)
        found.update({term: count for term, count in rows if count})
        return TermCounts(found)

    @cached_property
    def title_terms(self) -> int:
        """How many terms stand in the titles of all rows together."""
        in_parts = (
            part.titles.total_terms if alive is None else int(part.titles.lengths[alive].sum(dtype=np.int64))
            for part, alive in self.each()
        )
        return sum(in_parts) + int(self.recent.title_lengths[self.recent.alive].sum())

    def average_length(self, title: float = 1.0) -> float:
        """How many terms a row has in the mean, where those of titles count `title` times; 1 where no row has any."""
        terms = self.terms if title == 1 else self.terms + (title - 1) * self.title_terms
        return terms / self.rows if terms > 0 else 1.0

    def each(self) -> Iterator[tuple[Part, Mask | None]]:
        """Its parts, each with the rows that are alive."""
        return zip(self.parts, self.alive, strict=True)

    @cached_property
    def alive_of_each(self) -> Sequence[Mask]:
        """The same for each part and, last, for the log, where nothing is None."""
        in_parts = (np.broadcast_to(np.True_, part.rows) if alive is None else alive for part, alive in self.each())
        return [*in_parts, self.recent.alive]

    def find(self, keys: Sequence[str]) -> Iterator[tuple[Part, Rows]]:
        """The rows of each part that have one of the keys and are alive."""
        for part, alive in self.each():
            rows = np.asarray(part.chunks.find(keys), np.int64)
            rows = rows[rows >= 0]
            yield part, rows if alive is None else rows[alive[rows]]

    def has_any(self, keys: Sequence[str]) -> bool:
        """Whether a row has one of the keys."""
        return self.recent.has_any(keys) or any(len(rows) for _, rows in self.find(keys))

    def removing(self, gone: Mapping[str, Sequence[int] | Rows]) -> list[Mask | None]:
        """What is alive of each part once these rows of it, by its name, are removed as well."""
        masks: list[Mask | None] = []
        for part, alive in self.each():
            rows = gone.get(part.name)
            if rows is not None and len(rows):
                alive = np.ones(part.rows, bool) if alive is None else alive.copy()
                alive[np.asarray(rows, np.int64)] = False
            masks.append(alive)
        return masks
