"""The int8 that guides teach: ``(v - min) / (max - min) * 255``, with one least and one greatest number for all.

Codes of both sides are compared as they are, by cosine. What was taken away before, the least number, is then a part of
every product, so that rows with a greater sum come first whatever they are about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.compress.base import Code, Coding
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.types import Vectors

LEVELS = 255


@dataclass(frozen=True)
class OneRange(Coding):
    """Numbers in steps of one range."""

    least: float
    span: float

    def pack(self, rows: Vectors) -> Any:
        return np.clip((rows - self.least) / self.span * LEVELS, 0, LEVELS).astype(np.uint8)

    def products(self, packed: Any, queries: Vectors) -> Vectors:
        rows = unit_rows(packed.astype(np.float32))
        found: Vectors = rows @ unit_rows(self.pack(queries).astype(np.float32)).T
        return found


class Int8Global(Code):
    """It is measured so that people see what it costs."""

    def size(self, dimensions: int) -> float:
        return dimensions

    def fit(self, sample: Vectors) -> OneRange:
        least, greatest = float(sample.min()), float(sample.max())
        return OneRange(least, max(greatest - least, 1e-12))


CODE = Int8Global()
