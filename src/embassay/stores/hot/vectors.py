"""The vectors of one part of a hot index: scanned as short codes, ranked by their exact products.

A search computes the products of all codes, takes the exact ones of the best, and then those of every row whose code
could still hide a better one (`embassay.stores.hot.coder`): what it finds is what a scan of the exact rows would find.
Only a part whose codes are larger than a processor's cache is scanned in two steps, of which the first passes on a
share of the rows that was chosen by measuring.

The exact products are those of `embassay.stores.hot.kernel`: a row has the same one in every search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.stores.dtypes import BLOCK, unpacked
from embassay.stores.hot.codes import Bounded, Codes
from embassay.stores.hot.coding import repoint, write_part
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.kernel import products
from embassay.stores.hot.places import Places

if TYPE_CHECKING:
    from embassay.stores.values import VectorSpec
    from embassay.types import Vectors

    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Mask = np.ndarray[Any, np.dtype[np.bool_]]
    Found = tuple[Ints, Vectors]

FEW = 1024
"""Rows: so many that a mask lets pass are ranked by their exact products at once."""
SPARSE = 8
"""A mask that lets less than one row in so many pass is looked up instead of scanned past."""
PASSED_ON, BY_K, GROWTH = 1 / 64, 10, 1 / 3
"""Of all rows: the share that the first of two steps passes on for `BY_K` rows, and the power of k by which it grows.
Over 150,000 texts this finds all of the 10 best rows for queries of SciFact and XQuAD, of the 100 best 0.9999 and
0.9989, and of the 1,000 best 0.9999 and 0.996."""
WHOLE = 1 / 4
"""Of all rows: where the first step would pass on a greater share, there are no two steps."""
SURE = 256
"""Of a sample: so many say well enough how great the others of their share are."""
COLUMNS = 64
"""Among the greatest of so many rows each the greatest of all are sought."""


class VectorPart:
    """Vectors that are open to be searched. Threads may share it."""

    @staticmethod
    def write(
        folder: Path, name: str, blocks: Iterable[Vectors], spec: VectorSpec, *, files: Sequence[Path] = ()
    ) -> None:
        """Keep rows for searching: float32 (n, dimensions) in `blocks`, as the store reads them back.

        Durable on return. `files` are immutable files that may hold the same rows as they are kept, such as the data
        files of a table, in the order in which their rows come; rows that are found in them are read from there, and
        others are copied. The same rows make the same bytes. Raises StoreError for vectors that are not finite, and
        HomeNotWritable.
        """
        write_part(folder, name, blocks, spec, files)

    @staticmethod
    def merge(
        folder: Path,
        name: str,
        parts: Sequence[VectorPart],
        order: Ints,
        spec: VectorSpec,
        *,
        files: Sequence[Path] = (),
    ) -> None:
        """Write a part of rows of others: `order` (n, 2) says for each the number of its part, and its row there."""
        VectorPart.write(folder, name, _ordered(parts, order, spec), spec, files=files)

    def __init__(self, folder: Path, name: str, spec: VectorSpec) -> None:
        """Raises HotIndexDamaged where a file is missing, cut or none of ours."""
        self._spec, self._file = spec, folder / f"{name}.vectors"
        self._codes, self._places = Codes(folder, name, spec), Places(folder, name, spec)
        self.rows = self._places.rows
        self.own_bytes = self._places.own_bytes
        """Of rows that it keeps itself, and that a file of somebody else may hold as well."""
        if self._codes.rows != self.rows:
            raise HotIndexDamaged(self._file, f"it has {self._codes.rows:,} rows, and {self.rows:,} were expected")

    @property
    def digest(self) -> int | None:
        """Another one for other rows; None of rows that are so few that they have no codes."""
        return self._codes.digest if self._codes.steps else None

    def search(self, vector: Vectors, k: int, mask: Mask | None = None) -> Found:
        """The k rows of greatest dot product with `vector` (dimensions,), of those that `mask` (rows,) lets pass: their
        numbers, and the products. Best first, and equal ones by their number. A vector that is not finite finds
        nothing."""
        vector = np.ascontiguousarray(vector, np.float32)
        passing = self.rows if mask is None else int(np.count_nonzero(mask))
        k = min(k, passing)
        if k <= 0 or not np.isfinite(vector).all():
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if not vector.any():
            return _passing(mask, self.rows)[:k], np.zeros(k, np.float32)
        if not self._codes.steps or passing <= max(FEW, 2 * k):
            return self._best(vector, k, _passing(mask, self.rows))
        bounded = self._codes.ask(vector)
        if mask is not None and passing < self.rows // SPARSE:
            rows = np.flatnonzero(mask)
            return self._decided(bounded, k, bounded.some(rows), rows)
        share = PASSED_ON * (k / BY_K) ** GROWTH
        if self._codes.steps > 1 and share < WHOLE:
            first = _masked(bounded.first(), mask)
            rows = promising(first, k, min(passing, k + int(share * passing)))
            return self._decided(bounded, k, bounded.some(rows, first), rows)
        return self._decided(bounded, k, _masked(bounded.all(), mask))

    def scores(self, vector: Vectors, rows: Ints) -> Vectors:
        """float32 (n,): the exact products of these rows with `vector`, the same that `search` gives."""
        found = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK):
            found[start : start + BLOCK] = products(self.read(rows[start : start + BLOCK]), vector)
        return found

    def read(self, rows: Ints) -> Vectors:
        """Rows as float32 (n, dimensions)."""
        return unpacked(self._places.read(np.asarray(rows, np.int64)), self._spec.dtype)

    def reads_only(self, files: Iterable[Path]) -> bool:
        """Whether all rows lie in `files` or in a file of its own."""
        return {file.resolve() for file in self._places.others} <= {file.resolve() for file in files}

    def repoint(self, files: Sequence[Path]) -> bool:
        """Read the rows from other files from the next opening on: those of before will be removed. Durable on return.

        False, and nothing is changed, where a row is not in `files`. Raises HomeNotWritable.
        """
        return repoint(self._file.parent, self._file.stem, self._places, self._spec, files)

    def close(self) -> None:
        """Give back the files, as soon as no search uses them."""
        self._codes.close()
        self._places.close()

    def _decided(self, bounded: Bounded, k: int, products: Vectors, rows: Ints | None = None) -> Found:
        """The best of `rows`, of which these products are known; of all rows where none are given."""
        best = largest(products, k)
        likely = best if rows is None else rows[best]
        exact = self.scores(bounded.vector, likely)
        if not (np.abs(exact - bounded.base - products[best]) <= bounded.slack(likely)).all():
            raise HotIndexDamaged(self._file, "its codes are not those of the rows that they stand for")
        least = float(exact.min()) - bounded.base
        hopeful = np.flatnonzero(products >= least - bounded.most_slack)
        named = hopeful if rows is None else rows[hopeful]
        bounds = products[hopeful] + bounded.slack(named)
        able = bounds >= least
        places = np.minimum(np.searchsorted(hopeful, best), len(hopeful) - 1)
        able[places[hopeful[places] == best]] = False  # their exact products are there
        order = np.lexsort((likely, -exact))
        found = likely[order], exact[order]
        return self._best(bounded.vector, k, named[able], bounds[able] + bounded.base, found)

    def _best(
        self, vector: Vectors, k: int, rows: Ints, bounds: Vectors | None = None, found: Found | None = None
    ) -> Found:
        """The best of `rows` by their exact products, and of others that were `found` before, best first. None is
        greater than its bound: of many rows those of great bounds are looked at first, and mostly alone."""
        if bounds is not None and len(rows) > BLOCK:
            falling = np.argsort(-bounds)
            rows, bounds = rows[falling], bounds[falling]
        named, scores = found or (rows[:0], np.empty(0, np.float32))
        for start in range(0, len(rows), BLOCK):
            if bounds is not None and start and len(scores) == k and bounds[start] < scores[-1]:
                break
            more = rows[start : start + BLOCK]
            named, scores = np.concatenate([named, more]), np.concatenate([scores, self.scores(vector, more)])
            if not np.isfinite(scores).all():  # no such rows are taken in
                raise HotIndexDamaged(self._file, "rows of it are not finite")
            best = np.lexsort((named, -scores))[:k]
            named, scores = named[best], scores[best]
        return named, scores


def largest(scores: Vectors, k: int) -> Ints:
    """The rows of the k greatest scores, in any order."""
    if k >= len(scores):
        return np.arange(len(scores))
    candidates = None
    if len(scores) > 4 * COLUMNS * k:
        even = len(scores) // COLUMNS * COLUMNS
        greatest = scores[:even].reshape(COLUMNS, -1).max(axis=0)
        candidates = np.flatnonzero(scores >= np.partition(greatest, -k)[-k])
        scores = scores[candidates]
    best = np.argpartition(scores, -k)[-k:]
    return best if candidates is None else candidates[best]


def promising(scores: Vectors, k: int, count: int) -> Ints:
    """At least k rows of the greatest scores, and about `count`: a sample says how great those are."""
    sample = scores[:: max(1, count // SURE)]
    rank = count * len(sample) // len(scores)
    least = -np.partition(-sample, rank)[rank] if rank < len(sample) else -np.inf
    rows = np.flatnonzero(scores >= least)
    return rows if np.isfinite(least) and len(rows) >= k else largest(scores, count)


def _passing(mask: Mask | None, rows: int) -> Ints:
    return np.arange(rows) if mask is None else np.flatnonzero(mask)


def _masked(products: Vectors, mask: Mask | None) -> Vectors:
    if mask is not None:
        products[~mask] = -np.inf
    return products


def _ordered(parts: Sequence[VectorPart], order: Ints, spec: VectorSpec) -> Iterator[Vectors]:
    """The rows that `order` names, in blocks."""
    for start in range(0, len(order), BLOCK):
        some = order[start : start + BLOCK]
        block = np.empty((len(some), spec.dimensions), np.float32)
        for part in np.unique(some[:, 0]):
            mine = some[:, 0] == part
            block[mine] = parts[part].read(some[mine, 1])
        yield block
