"""The words of titles, which count more, or less, where a search wants it.

They are a part of their own beside the words of whole rows, with the same numbers of rows. Few searches ask for them,
so that they are made by the first one that does: it takes a second for 100,000 rows. Until then they cost nothing.
"""

from __future__ import annotations

import os
import threading
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from embassay.errors import HomeNotWritable
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.sections import Array
from embassay.stores.hot.words import WordPart
from embassay.stores.hot.writing_words import KIND
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.stores.hot.rows import RowPart
    from embassay.types import Vectors

TITLES = "titles"
TRIES = 3
"""How often they are made, where a writer tidies up beside it and takes what is half written for a remnant."""
REMEMBERED = 1024
"""Titles whose terms are kept: the chunks of one document share theirs."""


def named(part: str) -> str:
    """What the titles of a part are called; they are removed with the part, by its name."""
    return f"{part}.{TITLES}"


def have_titles(folder: Path, part: str) -> bool:
    """Whether the titles of a part have been made."""
    return (folder / f"{named(part)}.{KIND}").exists()


class Titles(Protocol):
    """The words in titles of the rows of a part."""

    total_terms: int
    """Of all titles together."""

    @property
    def lengths(self) -> Array:
        """How many terms the title of each row has."""

    def holding(self, term: str) -> tuple[Array, Vectors] | None:
        """The rows that have a term in their titles, ascending, and how often; None where there are none."""


def titles_of(folder: Path, part: str, rows: RowPart, cut: Callable[[str], Sequence[str]]) -> Titles:
    """The words in titles of the rows of a part, which are made where there are none; `cut` tells the terms of a text.

    Where the folder cannot be written they are held in memory. Raises HotIndexDamaged.
    """
    if have_titles(folder, part):
        return WordPart(folder, named(part))
    remembered = lru_cache(REMEMBERED)(lambda title: tuple(cut(title)))
    for left in reversed(range(TRIES)):
        try:
            return _made(folder, part, map(remembered, rows.titles()))
        except HotIndexDamaged:
            if not left:
                raise
        except HomeNotWritable:
            if not left:
                break
    return HeldTitles(map(remembered, rows.titles()))


def _made(folder: Path, part: str, documents: Iterator[Sequence[str]]) -> WordPart:
    """Two processes may do so at once: each writes a file of its own, and one is put into the place of the other."""
    own = f"{named(part)}-{os.getpid()}-{threading.get_ident()}"
    WordPart.write(folder, own, documents)
    made = WordPart(folder, own)
    with suppress(OSError):  # it is open: whoever asks next makes it anew
        (folder / f"{own}.{KIND}").replace(folder / f"{named(part)}.{KIND}")
    return made


class HeldTitles:
    """The words in titles of the rows of a part, in memory."""

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        """`documents` are the terms in the title of each row."""
        found: dict[str, tuple[array[int], array[int]]] = {}
        lengths = array("I")
        for row, terms in enumerate(documents):
            lengths.append(len(terms))
            for term, often in Counter(terms).items():
                rows, frequencies = found.setdefault(encodable(term), (array("I"), array("I")))
                rows.append(row)
                frequencies.append(often)
        self._found = found
        self.lengths = np.frombuffer(lengths, np.uint32) if lengths else np.zeros(0, np.uint32)
        self.total_terms = int(self.lengths.sum(dtype=np.int64))

    def holding(self, term: str) -> tuple[Array, Vectors] | None:
        """The rows that have a term in their titles, ascending, and how often; None where there are none."""
        found = self._found.get(encodable(term))
        return found and (np.array(found[0], np.int64), np.array(found[1], np.float32))


class WeighedTitles:
    """What the titles of a part add to the words of its rows, for one query."""

    def __init__(self, titles: Titles, weight: float) -> None:
        """Words of titles count `weight` times."""
        self._titles, self._extra = titles, np.float32(weight - 1)
        self._read: dict[str, tuple[Array, Vectors] | None] = {}

    def weigh(self, term: str, rows: Array, frequencies: Vectors, lengths: Vectors) -> tuple[Vectors, Vectors]:
        """How often `term` counts in these rows, and how long they are, of what is so without titles: float32
        (len(rows),) each."""
        weighed: Any = np.maximum(lengths + self._extra * self._titles.lengths[rows].astype(np.float32), 0)
        held = self._holding(term)
        if held is not None:
            at = np.minimum(np.searchsorted(held[0], rows), len(held[0]) - 1)
            above = np.where(held[0][at] == rows, held[1][at], np.float32(0))
            frequencies = np.maximum(frequencies + self._extra * above, 0)
        return frequencies, weighed

    def _holding(self, term: str) -> tuple[Array, Vectors] | None:
        """The rows that have a term in their titles, and how often; None where there are none."""
        if term not in self._read:
            self._read[term] = self._titles.holding(term)
        return self._read[term]
