"""Marks: what monitoring reads of each logged search, in columns, so that a million of them are read in a moment.

A row stands beside that of the search in the query log, is written in the same transaction, and goes when it goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from embassay.types import ArmScore


class MarkedHit(Protocol):
    """A hit, logged or not."""

    @property
    def document(self) -> str:
        """The id of the document that it is a part of."""

    @property
    def arms(self) -> Mapping[str, ArmScore]:
        """What each arm made of it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is read off the hits of one search."""

    hits: int
    """How many were found."""
    dense: float | None
    """Raw score of the best hit of the vectors; None where no arm gave one."""
    words: float | None = None
    """Raw score of the best hit of the words, 0 where no hit has any of them; None where none were looked for."""
    terms: int = 0
    """How many words were looked for."""
    other_dense: float | None = None
    other_words: float | None = None
    """The same of the hits in other documents than the first one: what would have been best without it."""


MARKED = tuple(field.name for field in fields(Mark))
_marked = attrgetter(*MARKED)
KINDS = {
    **dict.fromkeys(("seq", "query", "first_click", "satisfied", "feedback"), "i8"),
    **dict.fromkeys(("asked", "took_ms"), "f8"),
    **{field.name: "i8" if field.type == "int" else "f8" for field in fields(Mark)},
}
"""Of the marks of a search, the columns that are read, and the kinds of their numbers; NaN stands for none."""


def mark_of(hits: Sequence[MarkedHit], terms: int) -> Mark:
    """The mark of a search that found these hits, best first, and looked for so many words."""
    none = 0.0 if terms else None
    arms = [hit.arms for hit in hits]
    first = hits[0].document if hits else ""
    others = [hit.arms for hit in hits if hit.document != first]
    return Mark(
        len(hits),
        _best(arms, "dense"),
        _best(arms, "lexical", none),
        terms,
        _best(others, "dense"),
        _best(others, "lexical", none),
    )


def _best(found: Sequence[Mapping[str, ArmScore]], arm: str, none: float | None = None) -> float | None:
    return max([arms[arm].score for arms in found if arm in arms], default=none)


def write(db: sqlite3.Connection, marks: Iterable[tuple[str, int, Mark]]) -> None:
    """Write marks of searches that the log has, inside of the transaction that wrote those: the id of each search, a
    number that is equal for equal queries, and its mark."""
    db.executemany(
        f"INSERT OR IGNORE INTO marks (seq, asked, set_name, space, took_ms, query, {', '.join(MARKED)}) "
        f"SELECT seq, asked, set_name, space, took_ms, ?, {', '.join('?' * len(MARKED))} FROM queries WHERE id = ?",
        [(query, *_marked(mark), id) for id, query, mark in marks],
    )


def write_outcome(db: sqlite3.Connection, seq: int, first_click: int, satisfied: bool, feedback: bool) -> None:
    """Write what became of a search, inside of the transaction that wrote the feedback on it."""
    statement = "UPDATE marks SET first_click = ?, satisfied = ?, feedback = ? WHERE seq = ?"
    db.execute(statement, (first_click, satisfied, feedback, seq))
