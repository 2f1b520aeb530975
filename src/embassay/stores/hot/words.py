"""The words of one part: for every term the rows that have it, which BM25 ranks by.

A query reads the postings of its terms and adds up the scores of their rows: that takes 0.15 ms over 100,000 short
texts, and 0.4 ms over a million. Rows are left out only where it is certain that they are not among the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from embassay.stores.hot.best import ROUNDED_DOWN, ROUNDED_UP, candidates, largest, with_a_score
from embassay.stores.hot.postings import decode_frequencies, decode_many, decode_rows
from embassay.stores.hot.sections import Array, Sections
from embassay.stores.hot.writing_words import KIND, hashed, write_words
from embassay.stores.values import BM25_B, BM25_K1
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.types import Vectors

LONG = 4096
"""Rows of the terms that are left from which on it pays to look whether all of them have to be looked at."""
MANY_NEAR = 512
"""Rows that are looked through once more for those that cannot be among the best any longer."""
TOGETHER = 1_000_000
"""Postings that are read at a time where all of a part are."""


class WordPart:
    """The inverted index of one part. Threads may share it. Raises HotIndexDamaged, also while it is read."""

    def __init__(self, folder: Path, name: str) -> None:
        self._sections = Sections(folder, f"{name}.{KIND}", KIND)
        facts = self._sections.facts
        self.rows = int(facts["rows"])
        self.total_terms = int(facts["total_terms"])
        """Of all rows together: their average length is this by `rows`."""
        self._norms: tuple[float, Vectors] | None = None

    @staticmethod
    def write(folder: Path, name: str, documents: Iterable[Sequence[str]]) -> None:
        """Write a part of these rows, of each its terms as the collection's analyser makes them, each as often as it
        stands there. They may be any iterable; what is held in memory does not grow with them. Raises HomeNotWritable.
        """
        from embassay.stores.hot.inverting import Inverter

        with Inverter(folder) as inverter:
            for terms in documents:
                inverter.add(terms)
            write_words(folder, name, inverter.lengths(), inverter.postings())

    @staticmethod
    def merge(folder: Path, name: str, parts: Sequence[WordPart], order: Array) -> None:
        """Write a part of rows of others, (n, 2): the position of a part, and the row there. Raises HomeNotWritable."""
        from embassay.stores.hot.merging_words import merged_postings

        lengths = np.zeros(len(order), np.int64)
        for at, part in enumerate(parts):
            chosen = order[:, 0] == at
            lengths[chosen] = part.lengths[order[chosen, 1]]
        write_words(folder, name, lengths, merged_postings(parts, order))

    @cached_property
    def lengths(self) -> Array:
        """How many terms each row has: whole numbers (rows,)."""
        return self._sections.numbers("lengths", self.rows)

    @cached_property
    def counts(self) -> Array:
        """How many rows have each term, by their numbers."""
        return self._sections.array("counts")

    def asked(self, terms: Sequence[str], titles: Weighing | None = None) -> Asked:
        """What the part has of these terms, which `Asked` answers everything about a query from; with `titles`, their
        words are weighed."""
        return Asked(self, terms, titles)

    def rows_of(self, term: int) -> Array:
        """The rows that have the term of this number, ascending."""
        return decode_rows(*self._place(term))

    def frequencies_of(self, term: int, places: Array | None = None) -> Vectors:
        """How often the term of this number stands in each of its rows; or in those at `places`, (n,), of them."""
        return decode_frequencies(*self._place(term), places)

    def _place(self, term: int) -> tuple[Array, int, int]:
        """Where the postings of a term stand: among which numbers, from which one on, and how many there are."""
        start = int(self._starts[term])
        return self._sections.array("wide" if start & 1 else "narrow"), start >> 1, int(self.counts[term])

    def number_of(self, term: str) -> int | None:
        """The number of a term; None where no row has it."""
        return self.numbers_of([term])[0]

    def numbers_of(self, terms: Sequence[str]) -> list[int | None]:
        """The number of each term; None where no row has it."""
        encoded = [encodable(term).encode() for term in terms]
        wanted = [*map(hashed, encoded)]
        first = np.searchsorted(self._hashes, np.array(wanted, np.uint32)).tolist()
        return [self._number(*one) for one in zip(encoded, wanted, first, strict=True)]

    def _number(self, term: bytes, wanted: int, at: int) -> int | None:
        """Of a term with this hash: of those that have it, the first is the one at `at`."""
        while at < len(self._hashes) and self._hashes[at] == wanted:
            if self._letters(at) == term:
                return at
            at += 1
        return None

    def norms(self, average_length: float) -> Vectors:
        """`norms_of` all rows, which are kept for the length that was asked for last."""
        kept = self._norms
        if kept is None or kept[0] != average_length:
            kept = self._norms = average_length, norms_of(self.lengths.astype(np.float32), average_length)
        return kept[1]

    def terms(self) -> Iterator[bytes]:
        """Every term in the order of their numbers, in UTF-8."""
        return self._written(0, len(self._hashes))

    def holding(self, term: str) -> tuple[Array, Vectors] | None:
        """The rows that have a term, ascending, and how often it stands in each; None where no row has it."""
        number = self.number_of(term)
        return None if number is None else (self.rows_of(number), self.frequencies_of(number))

    def postings_of(self, terms: Array) -> tuple[Array, Array, Array]:
        """Of terms by their numbers, in any order: the number of a term, a row that has it, and how often it stands
        there."""
        found = [(np.zeros(0, np.int64),) * 3]
        for is_wide, section in enumerate(("narrow", "wide")):
            chosen = terms[(self._starts[terms] & 1) == is_wide]
            counts = self.counts[chosen].astype(np.int64)
            starts = (self._starts[chosen] >> 1).astype(np.int64)
            found.append((np.repeat(chosen, counts), *decode_many(self._sections.array(section), starts, counts)))
        owners, rows, frequencies = (np.concatenate(column) for column in zip(*found, strict=True))
        return owners, rows, frequencies

    def vocabulary(self, alive: Array | None = None) -> Iterator[tuple[str, int]]:
        """Every term with the number of rows that have it, or of those of them that are `alive`: bool (rows,)."""
        for terms in self._some_terms():
            counts = self.counts[terms]
            if alive is not None:
                owners, rows, _ = self.postings_of(terms)
                counts = np.bincount(owners[alive[rows]] - terms[0], minlength=len(terms))
            written = self._written(int(terms[0]), int(terms[-1]) + 1)
            yield from ((term.decode(), count) for term, count in zip(written, counts.tolist(), strict=True) if count)

    def documents(self, rows: Array) -> list[list[str]]:
        """The terms of these rows, in any order. It takes a pass over the whole part."""
        place = np.full(self.rows, -1, np.int64)
        place[rows] = np.arange(len(rows))
        found: list[list[str]] = [[] for _ in range(len(rows))]
        for terms in self._some_terms():
            owners, holding, frequencies = self.postings_of(terms)
            chosen = np.flatnonzero(place[holding] >= 0)
            wanted = (owners[chosen], place[holding[chosen]], frequencies[chosen])
            for term, at, often in zip(*(column.tolist() for column in wanted), strict=True):
                found[at] += [self._letters(term).decode()] * often
        return found

    def _some_terms(self) -> Iterator[Array]:
        """The numbers of all terms, some at a time, whose postings are few enough to be read together."""
        behind = np.cumsum(self.counts, dtype=np.int64)
        at = 0
        while at < len(behind):
            end = max(at + 1, int(np.searchsorted(behind, (behind[at - 1] if at else 0) + TOGETHER, "right")))
            yield np.arange(at, end)
            at = end

    def close(self) -> None:
        """Give back the file."""
        self._sections.close()

    def _written(self, first: int, end: int) -> Iterator[bytes]:
        """The letters of all terms from the number `first` on and before `end`."""
        ends = [int(self._sections.array("ends")[first - 1]) if first else 0]
        ends += self._sections.array("ends")[first:end].tolist()
        letters = self._sections.array("letters")[ends[0] : ends[-1]].tobytes()
        return (letters[at - ends[0] : to - ends[0]] for at, to in pairwise(ends))

    def _letters(self, term: int) -> bytes:
        ends = self._sections.array("ends")
        return bytes(self._sections.array("letters")[int(ends[term - 1]) if term else 0 : int(ends[term])])

    @cached_property
    def _hashes(self) -> Array:
        return self._sections.array("hashes")

    @cached_property
    def _starts(self) -> Array:
        return self._sections.array("starts")


class Weighing(Protocol):
    """What lets some words of a row count more than others."""

    def weigh(self, term: str, rows: Array, frequencies: Vectors, lengths: Vectors) -> tuple[Vectors, Vectors]:
        """How often `term` counts in these rows, and how long they are, of what is so without it."""


class Asked:
    """Terms of a query in one part: the rows that have them are read once, for all that is asked."""

    def __init__(self, part: WordPart, terms: Sequence[str], titles: Weighing | None = None) -> None:
        self._part, self._titles = part, titles
        self._is_long = False
        """Whether its terms have so many rows that what rows are divided by is worth to be kept."""
        self._numbers = part.numbers_of(terms)
        self._terms = dict(zip(self._numbers, terms, strict=True))
        self._read: dict[int, Array] = {}

    def frequencies(self, alive: Array | None = None) -> Array:
        """How many rows have each of the terms; of those that are `alive`, bool (rows,), where that is given."""
        found = np.zeros(len(self._numbers), np.int64)
        for at, number in enumerate(self._numbers):
            if number is not None and alive is None:
                found[at] = self._part.counts[number]
            elif number is not None and alive is not None:
                found[at] = np.count_nonzero(alive[self._rows_of(number)])
        return found

    def search(
        self, weights: Sequence[float] | Array, average_length: float, k: int, mask: Array | None = None
    ) -> tuple[Array, Vectors]:
        """The k rows of greatest score, best first and equal ones by row, and their scores; none of a score of 0.

        The score is the sum over the terms of ``weight * tf / (tf + k1 * (1 - b + b * length / average_length))``. Only
        rows of `mask`, bool (rows,), are found where that is given.

        Terms of great weight come first. As soon as those that are left cannot bring a new row among the k best, they
        are looked up for the rows alone that can still be among these (MaxScore, Turtle and Flood 1995).
        """
        total, holders, held = np.zeros(self._part.rows, np.float32), list[Array](), 0
        terms = self._weighted(weights)
        rest = [*accumulate((float(weight) for _, weight in reversed(terms)), initial=0.0)][::-1]
        counts = [int(self._part.counts[number]) for number, _ in terms]
        left = [*accumulate(reversed(counts), initial=0)][::-1]
        self._is_long = left[0] * 4 > self._part.rows
        promising = rest[0] / 3
        for at, (number, weight) in enumerate(terms):
            if left[at] > max(LONG, min(held, self._part.rows // 8)) and rest[at] <= promising:
                near, least = candidates(total, holders, k, mask, rest[at])
                if near is not None and 2 * len(near) < counts[at]:
                    return self._finish(near, total[near], terms[at:], rest[at + 1 :], average_length, k)
                promising = rest[at] if near is not None else (2 * least + rest[at]) / 3  # the best grow slowly
            rows = self._rows_of(number)
            np.add.at(
                total, rows, self._scored(number, rows, self._part.frequencies_of(number), weight, average_length)
            )
            holders.append(rows)
            held += len(rows)
        found = with_a_score(total, holders)
        if mask is not None:
            found = found[mask[found]]
        return largest(found, total[found], k)

    def _finish(
        self,
        near: Array,
        scores: Vectors,
        left: Sequence[tuple[int, np.float32]],
        rest: Sequence[float],
        average_length: float,
        k: int,
    ) -> tuple[Array, Vectors]:
        """The k best of the rows `near`, to whose scores the terms that are `left` are added; `rest` is what those
        behind each of them can bring."""
        for (number, weight), after in zip(left, rest, strict=True):
            self._add(number, weight, average_length, near, scores)
            if len(near) > MANY_NEAR and len(near) > k:
                least = np.partition(scores, len(scores) - k)[len(scores) - k]
                kept = scores >= (float(least) - after * ROUNDED_UP) * ROUNDED_DOWN
                near, scores = near[kept], scores[kept]
        return largest(near, scores, k)

    def scores(self, weights: Sequence[float] | Array, average_length: float, rows: Array) -> Vectors:
        """The scores of these rows, as `search` gives them: float32 (len(rows),)."""
        rows = np.asarray(rows, np.int64)
        total = np.zeros(len(rows), np.float32)
        for number, weight in self._weighted(weights):
            self._add(number, weight, average_length, rows, total)
        return total

    def _weighted(self, weights: Sequence[float] | Array) -> list[tuple[int, np.float32]]:
        """The terms that count, with their weights, the greatest first."""
        pairs = zip(self._numbers, weights, strict=True)
        known = [(number, np.float32(weight)) for number, weight in pairs if number is not None and weight > 0]
        return sorted(known, key=lambda pair: -pair[1])

    def _rows_of(self, number: int) -> Array:
        found = self._read.get(number)
        if found is None:
            found = self._read[number] = self._part.rows_of(number)
        return found

    def _add(self, number: int, weight: np.float32, average_length: float, rows: Array, scores: Vectors) -> None:
        """Add to the `scores` of these rows what one term gives."""
        holding = self._rows_of(number)
        at = np.minimum(np.searchsorted(holding, rows), len(holding) - 1)
        hit = np.flatnonzero(holding[at] == rows)
        frequencies = self._part.frequencies_of(number, at[hit])
        scores[hit] += self._scored(number, rows[hit], frequencies, weight, average_length)

    def _scored(
        self, number: int, rows: Array, frequencies: Vectors, weight: np.float32, average_length: float
    ) -> Vectors:
        """What one term adds to the scores of these rows."""
        norms: Any
        if self._titles is not None:
            lengths = self._part.lengths[rows].astype(np.float32)
            frequencies, lengths = self._titles.weigh(self._terms[number], rows, frequencies, lengths)
            norms = norms_of(lengths, average_length)
        elif self._is_long:
            norms = self._part.norms(average_length)[rows]
        else:
            norms = norms_of(self._part.lengths[rows].astype(np.float32), average_length)
        norms += frequencies
        added: Vectors = frequencies / norms
        added *= weight
        return added


def norms_of(lengths: Vectors, average_length: float) -> Vectors:
    """What the lengths of rows add to the frequency of a term where BM25 divides by it. `lengths` is used up."""
    lengths *= np.float32(BM25_K1 * BM25_B / average_length)
    lengths += np.float32(BM25_K1 * (1 - BM25_B))
    return lengths


def idf(rows: int, frequencies: Array) -> Array:
    """Lucene's inverse document frequency of terms that so many of all `rows` have: float64."""
    found: Array = np.log1p((rows - frequencies + 0.5) / (frequencies + 0.5))
    return found
