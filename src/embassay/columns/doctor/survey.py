"""One pass over all rows of a table: what can be told of vectors without a model, and a sample of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from embassay.vectors import SOUND_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from embassay.columns.base import RowBlock
    from embassay.types import Vectors

    Numbers = npt.NDArray[np.int64]
    Digests = npt.NDArray[np.uint64]

KEPT = 1_000
"""Numbers of rows that are kept of each kind."""


@dataclass(slots=True)
class Tally:
    """How many rows are so, and which are the first of them."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, rows: Numbers) -> None:
        """Count these rows."""
        self.count += len(rows)
        self.rows += rows[: KEPT - len(self.rows)].tolist()


@dataclass(frozen=True, slots=True)
class SampledRow:
    """A row whose text is embedded again."""

    number: int
    text: str
    vector: Vectors


class Sample:
    """Rows drawn evenly from a stream of unknown length: each gets a random number, and the least of these stay."""

    def __init__(self, most: int, seed: int) -> None:
        self._most, self._random = most, np.random.default_rng(seed)
        self._drawn: list[tuple[float, SampledRow]] = []

    def add(self, block: RowBlock, texts: Sequence[object], sound: npt.NDArray[np.bool_]) -> None:
        """Draw from the rows of a block that are `sound` and have a text."""
        lots = self._random.random(len(block))
        limit = self._drawn[-1][0] if len(self._drawn) == self._most else np.inf
        for at in np.flatnonzero(sound & (lots < limit)).tolist():
            text = texts[at]
            if isinstance(text, str) and text.strip():
                self._drawn.append((float(lots[at]), SampledRow(block.first + at, text, block.vectors[at].copy())))
        self._drawn = sorted(self._drawn, key=lambda one: one[0])[: self._most]

    @property
    def rows(self) -> list[SampledRow]:
        """The rows that were drawn, by number."""
        return sorted((row for _, row in self._drawn), key=lambda row: row.number)


class RowSurvey:
    """Gathers what one pass tells. It keeps 16 bytes of each row, and the rows of the sample."""

    def __init__(self, dimensions: int, sample: Sample) -> None:
        self.dimensions, self.sample = dimensions, sample
        self.rows = 0
        self.broken, self.zero, self.off_length, self.doubled, self.repeated = (Tally() for _ in range(5))
        self.shortest, self.longest = np.inf, 0.0
        self._lasts = np.zeros(dimensions + 1, np.int64)
        self._first_with = np.full(dimensions + 1, -1, np.int64)
        self._weights = np.random.default_rng(0).integers(1, 2**63, dimensions, np.uint64) * 2 + 1
        self._vectors: list[Digests] = []
        self._texts: list[Digests] = []

    def take(self, blocks: Iterable[RowBlock], text: str) -> None:
        """Look at all blocks, whose column `text` holds the texts."""
        for block in blocks:
            self._look(block, block.fields[text])
        self._find_doubles()

    def _look(self, block: RowBlock, texts: Sequence[object]) -> None:
        vectors = block.vectors
        numbers = np.arange(block.first, block.first + len(block))
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.linalg.norm(vectors, axis=1)
        finite = np.isfinite(vectors).all(axis=1)
        sound = finite & (lengths > 0)
        self.rows += len(block)
        self.broken.add(numbers[~finite])
        self.zero.add(numbers[finite & (lengths == 0)])
        self.off_length.add(numbers[sound & (np.abs(lengths - 1) > SOUND_TOLERANCE)])
        if sound.any():
            self.shortest = min(self.shortest, float(lengths[sound].min()))
            self.longest = max(self.longest, float(lengths[sound].max()))
        self._count_tails(vectors[sound], numbers[sound])
        self.sample.add(block, texts, sound)
        digests = self._digests(vectors)
        digests[~sound] = 0
        self._vectors.append(digests)
        self._texts.append(np.fromiter((hash(one) & (2**64 - 1) for one in map(str, texts)), np.uint64, len(block)))

    def _count_tails(self, vectors: Vectors, numbers: Numbers) -> None:
        """Of each row, behind which dimension there is nothing but zeros."""
        lasts = self.dimensions - np.argmax(vectors[:, ::-1] != 0, axis=1)
        self._lasts += np.bincount(lasts, minlength=self.dimensions + 1)
        for last, at in zip(*np.unique(lasts, return_index=True), strict=True):
            if self._first_with[last] < 0:
                self._first_with[last] = numbers[at]

    def _digests(self, vectors: Vectors) -> Digests:
        """A number of each row that is equal for equal rows, and nearly never for others."""
        bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32).astype(np.uint64)
        mixed: Digests = (bits ^ (bits << np.uint64(21))) @ self._weights
        return mixed

    def _find_doubles(self) -> None:
        """Rows whose vector came before: with the same text, or with another one."""
        if not self._vectors:
            return
        vectors, texts = np.concatenate(self._vectors), np.concatenate(self._texts)
        both = np.flatnonzero(vectors)
        _, first, which = np.unique(vectors[both], return_index=True, return_inverse=True)
        before = both[first][which]
        again = both != before
        same = texts[both] == texts[before]
        self.repeated.add(both[again & same])
        self.doubled.add(both[again & ~same])

    @property
    def used(self) -> int:
        """Dimensions that any row uses; all behind them are 0 throughout."""
        used = np.flatnonzero(self._lasts)
        return int(used[-1]) if len(used) else 0

    @property
    def cut(self) -> Tally:
        """Rows that are 0 in the last eighth of the dimensions that others use: no model makes such a vector."""
        short = [last for last in np.flatnonzero(self._lasts) if last <= self.used - max(1, self.used // 8)]
        return Tally(int(self._lasts[short].sum()), sorted(int(self._first_with[last]) for last in short))
