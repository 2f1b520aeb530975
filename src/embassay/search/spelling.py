"""What words of a query were read as, and the query with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correction:
    """A word of a query, and what it was read as."""

    word: str
    read_as: str
    at: int
    """The character of the query at which the word begins."""

    def __str__(self) -> str:
        """As a notice says it."""
        return f"Read {self.word!r} as {self.read_as!r}: no chunk has the word as it was typed."

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON has them."""
        return {"word": self.word, "read_as": self.read_as, "at": self.at}


def read(query: str, corrections: Sequence[Correction]) -> str:
    """The query with its words as they were read."""
    for one in sorted(corrections, key=lambda one: -one.at):
        query = query[: one.at] + one.read_as + query[one.at + len(one.word) :]
    return query
