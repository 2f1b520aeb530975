"""How many texts a verification may embed."""

from __future__ import annotations

LEAST = 600
"""Texts that may be embedded for a set of any size."""
SHARE = 0.05
"""Of a large set, as many of its rows."""
QUESTIONS, FEWEST_QUESTIONS = 150, 40
"""Queries that are asked at most, and of a small allowance at least."""


class Allowance:
    """Counts what is embedded, and how much is left."""

    def __init__(self, rows: int) -> None:
        self.total = max(LEAST, int(SHARE * rows))
        self.spent = 0

    @property
    def left(self) -> int:
        """Texts that may still be embedded."""
        return self.total - self.spent

    @property
    def questions(self) -> int:
        """Queries that are to be asked of each of the two models."""
        return max(FEWEST_QUESTIONS, min(QUESTIONS, self.total // 10))

    def take(self, texts: int) -> int:
        """Count texts that are embedded now: as many of them as may be."""
        taken = max(0, min(texts, self.left))
        self.spent += taken
        return taken
