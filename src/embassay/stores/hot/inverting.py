"""Turns rows of terms into terms with their rows, whatever memory there is.

Rows are taken in runs of a few million terms. Each run is sorted by term and laid aside in a file without a name, so
that nothing is left of a process that was killed; in the end the runs are read side by side, some terms at a time.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from embassay.stores.hot.errors import writing
from embassay.stores.hot.sections import Array
from embassay.stores.hot.writing_words import TermRows, in_order
from embassay.text import encodable

RUN = 2_000_000
"""Terms of the rows of a run, and postings that are written at a time: about 150 MB of memory."""


class TermNumbers(dict[str, int]):
    """Numbers terms in the order in which they are first seen. Those that are encoded alike are one."""

    def __init__(self) -> None:
        self.terms: list[str] = []

    def __missing__(self, term: str) -> int:
        known = encodable(term)
        if known == term:
            self.terms.append(term)
        number = self[term] = len(self.terms) - 1 if known == term else self[known]
        return number


class Inverter:
    """Takes the terms of one row after another. Use it in a ``with`` block. Raises HomeNotWritable."""

    def __init__(self, folder: Path) -> None:
        self.vocabulary = TermNumbers()
        self._folder = folder
        self._terms, self._lengths = array("I"), array("I")
        self._run_lengths: list[Array] = []
        self._counts: list[Array] = []
        self._first_row = 0

    def __enter__(self) -> Inverter:
        with writing(self._folder):
            self._rows: IO[bytes] = tempfile.TemporaryFile(dir=self._folder)
            self._frequencies: IO[bytes] = tempfile.TemporaryFile(dir=self._folder)
        return self

    def __exit__(self, _: type[BaseException] | None, __: object, ___: TracebackType | None) -> None:
        with suppress(OSError):  # of a full disk, which was told of before
            self._rows.close()
        with suppress(OSError):
            self._frequencies.close()

    def add(self, terms: Sequence[str]) -> None:
        """The terms of the next row, each as often as it stands there."""
        self._terms.extend(map(self.vocabulary.__getitem__, terms))
        self._lengths.append(len(terms))
        if len(self._terms) >= RUN:
            self._end_run()

    def lengths(self) -> Array:
        """How many terms each row has. Nothing is added from then on."""
        self._end_run()
        return np.concatenate([np.zeros(0, np.uint32), *self._run_lengths])

    def postings(self) -> Iterator[TermRows]:
        """All terms with their rows, some at a time. Behind `lengths`."""
        known = [term.encode() for term in self.vocabulary.terms]
        order = in_order(known)
        counts = np.zeros((len(self._counts), len(order)), np.int64)
        for run, found in enumerate(self._counts):
            counts[run, : len(found)] = found
        starts = np.cumsum(counts, axis=1) - counts
        starts += (np.cumsum(counts.sum(axis=1)) - counts.sum(axis=1))[:, None]
        total = counts.sum(axis=0)
        behind = np.cumsum(total[order])
        rows, frequencies = self._spilled(self._rows, np.uint32), self._spilled(self._frequencies, np.uint32)
        at = 0
        while at < len(order):
            before = behind[at - 1] if at else 0
            end = max(at + 1, int(np.searchsorted(behind, before + RUN, "right")))
            terms = order[at:end]
            places = _places(starts[:, terms], counts[:, terms])
            yield TermRows([known[number] for number in terms], total[terms], rows[places], frequencies[places])
            at = end

    def _end_run(self) -> None:
        if not self._lengths:
            return
        lengths = np.frombuffer(self._lengths, np.uint32)
        rows = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
        pairs = np.frombuffer(self._terms, np.uint32).astype(np.uint64) << np.uint64(32) | rows
        pairs.sort()
        firsts = np.flatnonzero(np.diff(pairs, prepend=np.uint64(1 << 63)))
        frequencies = np.diff(firsts, append=len(pairs))
        pairs = pairs[firsts]
        with writing(self._folder):
            self._rows.write((pairs.astype(np.uint32) + np.uint32(self._first_row)).tobytes())
            self._frequencies.write(frequencies.astype(np.uint32).tobytes())
        self._counts.append(
            np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(self.vocabulary.terms))
        )
        self._run_lengths.append(lengths.copy())
        self._first_row += len(lengths)
        del lengths
        self._terms, self._lengths = array("I"), array("I")

    def _spilled(self, file: IO[bytes], dtype: type) -> Array:
        with writing(self._folder):
            file.flush()
        if not file.tell():
            return np.zeros(0, dtype)
        return np.memmap(file, dtype, "r")


def _places(starts: Array, counts: Array) -> Array:
    """Where the postings of terms lie in the runs, (runs, terms) each: all of one term, run by run, then the next."""
    starts, counts = starts.T.reshape(-1), counts.T.reshape(-1)
    behind = np.cumsum(counts)
    places: Array = np.arange(counts.sum()) + np.repeat(starts - behind + counts, counts)
    return places
