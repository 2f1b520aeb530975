"""The codes of a part, open for searching: products of a query with them, and how wrong those can be."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.stores.hot.coder import ROUNDING, CodedQuery, Coder, Level
from embassay.stores.hot.coding import VECTORS
from embassay.stores.hot.kernel import products, scaled_products
from embassay.stores.hot.sections import Sections

if TYPE_CHECKING:
    from embassay.stores.values import VectorSpec
    from embassay.types import Vectors

    Ints = np.ndarray[Any, np.dtype[np.int64]]


class Codes:
    """The codes that `embassay.stores.hot.coding` has written. Threads may share it. Raises HotIndexDamaged."""

    def __init__(self, folder: Path, name: str, spec: VectorSpec) -> None:
        self._sections = Sections(folder, f"{name}.vectors", VECTORS)
        self._scratch = threading.local()
        facts = self._sections.facts
        try:
            found = facts["dimensions"], facts["dtype"]
            self.rows, self._widths = int(facts["rows"]), [int(count) for count in facts["levels"]]
        except (KeyError, TypeError, ValueError) as error:
            raise self._sections.damaged("it does not say what it holds") from error
        if found != (spec.dimensions, spec.dtype):
            raise self._sections.damaged(
                f"it holds vectors of {found[0]} dimensions, kept as {found[1]}, and {spec.dimensions}, kept as "
                f"{spec.dtype}, were expected"
            )

    @property
    def steps(self) -> int:
        """In how many steps the rows are scanned; 0 where they are so few that they have no codes."""
        return len(self._widths)

    @property
    def digest(self) -> int:
        """Of all that the file holds, and so of the rows that it was made of."""
        return self._sections.checksum

    def ask(self, vector: Vectors) -> Bounded:
        """Put a query to the codes."""
        asked, outside = self.held.coder.asked(vector)
        return Bounded(self.held, asked, outside, vector, self._room)

    def close(self) -> None:
        """Give back the file, as soon as no search uses it."""
        self.__dict__.pop("held", None)
        self._sections.close()

    @cached_property
    def held(self) -> Held:
        """What is read at the first search, and compared with its checksums."""
        read, rows = self._sections.array, self.rows
        mean = read("mean")
        try:
            levels = [Level(read(f"axes{at}").reshape(len(mean), -1)) for at in range(self.steps)]
            return Held(
                Coder(mean, tuple(levels)),
                [read(f"codes{at}").reshape(rows, width) for at, width in enumerate(self._widths)],
                read("scales").reshape(self.steps, rows),
                read("left").reshape(rows),
                *(self._sections.facts[name] for name in ("errors", "lengths", "length")),
            )
        except (KeyError, ValueError) as error:
            raise self._sections.damaged("its arrays do not fit each other") from error

    def _room(self) -> Vectors:
        """float32 (rows,) of this thread, to be written to: to ask the system for it anew would take as long as what is
        computed there."""
        if not hasattr(self._scratch, "room"):
            self._scratch.room = np.empty(self.rows, np.float32)
        room: Vectors = self._scratch.room
        return room


@dataclass(frozen=True)
class Held:
    """The arrays of the file."""

    coder: Coder
    codes: list[Any]
    """For each level: int8 (rows, numbers)."""
    scales: Vectors
    """(levels, rows)"""
    left: Vectors
    """(rows,): the length of what no level keeps of a row."""
    errors: list[float]
    lengths: list[float]
    length: float

    @cached_property
    def most(self) -> tuple[float, Vectors]:
        """The greatest length of what is left, and the greatest scale of each level."""
        return float(self.left.max()), self.scales.max(axis=1)


@dataclass(frozen=True)
class Bounded:
    """One query. Rows are all of them where none are given; products are the exact ones but for `slack`."""

    held: Held
    asked: list[CodedQuery]
    outside: float
    vector: Vectors
    room: Any

    @cached_property
    def base(self) -> float:
        """The product with the centre, which `approximate` leaves out."""
        return float(self.vector @ self.held.coder.mean)

    def first(self) -> Vectors:
        """The products of the first step with all rows. They are in the room of this thread."""
        found: Vectors = self.room()
        self._scaled(0, found)
        return found

    def all(self) -> Vectors:
        """Of all steps with all rows. They are in the room of this thread."""
        found = self.first()
        for at in range(1, len(self.asked)):
            more = np.empty_like(found)
            self._scaled(at, more)
            found += more
        return found

    def some(self, rows: Ints, first: Vectors | None = None) -> Vectors:
        """Of all steps with these rows; `first` has those of the first step with all rows."""
        found = np.zeros(len(rows), np.float32) if first is None else first[rows]
        for at in range(0 if first is None else 1, len(self.asked)):
            scales = self.held.scales[at, rows] * np.float32(self.asked[at].scale)
            found += products(self.held.codes[at][rows], self.asked[at].codes) * scales
        return found

    def _scaled(self, at: int, out: Vectors) -> None:
        scaled_products(self.held.codes[at], self.asked[at].codes, self.held.scales[at], out)
        out *= np.float32(self.asked[at].scale)

    def slack(self, rows: Ints) -> Vectors:
        """How far the product of each of these rows, with `base` added, can be from the exact one."""
        found: Vectors = self._slack(self.held.left[rows], self.held.scales[:, rows])
        return found

    @cached_property
    def most_slack(self) -> float:
        """Of any row."""
        return float(self._slack(*self.held.most))

    def _slack(self, left: Any, scales: Any) -> Any:
        fixed = ROUNDING * self.held.length * float(np.linalg.norm(self.vector))
        found = left * self.outside
        for scale, asked, error, length in zip(scales, self.asked, self.held.errors, self.held.lengths, strict=True):
            fixed += asked.error * length
            found = found + scale * (error * asked.length)
        return found + fixed
