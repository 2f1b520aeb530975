"""What was found out of each generation of how near texts come that have nothing to do with it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from embassay.sets.database import Database

if TYPE_CHECKING:
    from embassay.search.answered import Calibration


class Calibrations:
    """Those of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, generation: int) -> CalibrationRow:
        """Where that of one generation is kept."""
        return CalibrationRow(self._database, generation)


class CalibrationRow:
    """The calibration of one generation, see `embassay.search.answered`."""

    def __init__(self, database: Database, generation: int) -> None:
        self._database, self._generation = database, generation

    def recall(self) -> Calibration | None:
        """What is known; a row that was changed by hand counts as missing. Raises HomeError."""
        from embassay.search.answered import Calibration

        query = "SELECT least, chunks FROM calibrations WHERE generation = ?"
        with self._database.reading() as db:
            row = db.execute(query, (self._generation,)).fetchone()
        if row is None or not isinstance(row[0], float) or not row[0] < math.inf or not isinstance(row[1], int):
            return None
        return Calibration(row[0], row[1])

    def keep(self, calibration: Calibration) -> None:
        """Keep it in the place of an earlier one, unless the set was deleted meanwhile. Raises HomeError."""
        with self._database.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO calibrations (generation, least, chunks) SELECT id, ?, ? FROM generations "
                "WHERE id = ?",
                (calibration.least, calibration.rows, self._generation),
            )
