"""All sets of a home in one look at its state, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from embassay.sets.database import Database
from embassay.sets.generation_rows import GENERATION
from embassay.sets.roster import strings
from embassay.sets.totals import WAITS

Generation = TypeVar("Generation")
"""What the columns of a generation are read as."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the sources of a set's live generation, and when it was written."""

    generations: int
    created: str
    """Date and time of its live generation, UTC."""
    written: float | None
    """Seconds since 1970: the last heartbeat of the newest job on the live generation."""
    documents: int
    chunks: int
    quarantined: int
    waiting: int
    """Chunks that wait for the model."""


@dataclass(frozen=True, slots=True)
class ListedSet(Generic[Generation]):
    """What the state knows of one set."""

    generation: Generation
    """The live one."""
    chosen: bool
    """Whether it was made the default set."""
    excluded: tuple[str, ...]
    paths: tuple[str, ...]
    auto_embed: tuple[str, ...] | None
    figures: Figures


_QUERY = f"""
    SELECT {GENERATION}, s.chosen, s.excluded, s.paths, s.auto_embed,
        1 + (s.previous IS NOT NULL) + (s.building IS NOT NULL), g.created,
        (SELECT heartbeat FROM jobs WHERE generation = g.id ORDER BY id DESC LIMIT 1),
        coalesce(t.documents, 0), coalesce(t.chunks, 0), coalesce(t.quarantined, 0),
        coalesce(t.waiting, 0)
    FROM sets s JOIN generations g ON g.id = s.live LEFT JOIN (
        SELECT generation, sum(documents) AS documents, sum(chunks) AS chunks,
            count(*) FILTER (WHERE state NOT IN ('skipped', 'pending') AND reason != '') AS quarantined,
            sum(chunks) FILTER (WHERE {WAITS}) AS waiting
        FROM sources {{of_one}} GROUP BY generation
    ) t ON t.generation = g.id
"""
_OF_ONE = "WHERE generation = (SELECT live FROM sets WHERE name = ?)"


class Listing(Generic[Generation]):
    """The sets of one home as a list shows them."""

    def __init__(self, database: Database, generation: Callable[[Sequence[object]], Generation]) -> None:
        """`generation` reads the columns of `GENERATION`."""
        self._database, self._generation = database, generation

    def all(self) -> list[ListedSet[Generation]]:
        """Every set, ordered by name. Raises HomeCorrupt."""
        with self._database.reading() as db:
            rows = db.execute(f"{_QUERY.format(of_one='')} ORDER BY s.name").fetchall()
        return [self._listed(row) for row in rows]

    def one(self, name: str) -> ListedSet[Generation] | None:
        """One set by its name; None where there is none. Raises HomeCorrupt."""
        with self._database.reading() as db:
            row = db.execute(f"{_QUERY.format(of_one=_OF_ONE)} WHERE s.name = ?", (name, name)).fetchone()
        return None if row is None else self._listed(row)

    def _listed(self, row: Sequence[object]) -> ListedSet[Generation]:
        of_generation, (chosen, excluded, paths, rules, *figures) = row[:7], row[7:]
        return ListedSet(
            self._generation(of_generation),
            bool(chosen),
            strings(self._database, "excluded", excluded),
            strings(self._database, "paths", paths),
            None if rules is None else strings(self._database, "auto_embed", rules),
            self._database.checked(Figures(*figures)),  # type: ignore[arg-type]
        )
