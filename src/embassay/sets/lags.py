"""In which origins two generations of a set differ, found by the database, which need not hand out those that do not.

The other generation is to be made like the leader by the rows that both have of each origin. An origin that is being
written is done in neither; one of the leader that waits for its model counts as it is once its vectors are there.
Reasons and counts of chunks are passed over: they differ where one of two models refused a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from embassay.sets.database import Database
from embassay.sets.totals import WORDS_ONLY
from embassay.sqlite import in_parts

_CONTENT = ("size", "mtime_ns", "digest", "reader", "documents", "chars", "left_out")
_WAITS = f"(ours.state = 'pending' AND ours.reason = '{WORDS_ONLY}')"
_UNLIKE = (
    f"theirs.path IS NULL OR theirs.state = 'pending' OR (ours.state = 'pending' AND NOT {_WAITS}) OR "
    f"CASE WHEN {_WAITS} THEN 'ok' ELSE ours.state END IS NOT theirs.state OR "
    + " OR ".join(f"ours.{name} IS NOT theirs.{name}" for name in _CONTENT)
)
_TODO = f"""
    SELECT ours.path FROM sources ours LEFT JOIN sources theirs ON theirs.generation = ? AND theirs.path = ours.path
    WHERE ours.generation = ? AND ({_UNLIKE})"""
_GONE = """
    SELECT path FROM sources theirs WHERE theirs.generation = ?
    AND NOT EXISTS (SELECT 1 FROM sources ours WHERE ours.generation = ? AND ours.path = theirs.path)"""


@dataclass(frozen=True, slots=True)
class Lag:
    """Paths of origins, in no order that means anything."""

    todo: Sequence[str]
    """Those that the follower does not have, or not as the leader has them."""
    gone: Sequence[str]
    """Those that only the follower has."""

    def __len__(self) -> int:
        return len(self.todo) + len(self.gone)


class Lags:
    """How far generations of one home are behind others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, leader: int, follower: int, names: Sequence[str] | None = None) -> Lag:
        """What the follower lacks and what it has too much, among these origins or among all. Ids of generations."""
        return Lag(self._paths(_TODO, leader, follower, names), self._paths(_GONE, leader, follower, names))

    def _paths(self, query: str, leader: int, follower: int, names: Sequence[str] | None) -> list[str]:
        with self._database.reading() as db:
            if names is None:
                return [str(row[0]) for row in db.execute(query, (follower, leader))]
            table, found = "ours" if query is _TODO else "theirs", []
            for part, places in in_parts(names):
                among = f"{query} AND {table}.path IN ({places})"
                found += [str(row[0]) for row in db.execute(among, (follower, leader, *part))]
            return found
