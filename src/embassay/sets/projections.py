"""The projections of generations, kept where the generation is written down: of those whose vectors are reduced by PCA,
and of those that are searched by coarse vectors first."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from embassay.seals import seal
from embassay.sets.database import Database

if TYPE_CHECKING:
    from embassay.embedders.wrap.projected import Projection


class Projections:
    """Those of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, generation: int) -> Projection | None:
        """That of one generation; None where its vectors are not reduced. Raises HomeCorrupt."""
        query = "SELECT generation, dimensions, matrix, normalised, seal FROM projections WHERE generation = ?"
        with self._database.reading() as db:
            row = db.execute(query, (generation,)).fetchone()
        return None if row is None else _read(self._database, row)


class CoarseProjections:
    """Those that make coarse vectors of stored ones, any number for a generation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, generation: int, coarse: int) -> Projection | None:
        """The one to `coarse` dimensions; None where there is none. Raises HomeCorrupt."""
        query = (
            "SELECT generation, coarse, dimensions, matrix, normalised, seal FROM coarse_projections "
            "WHERE generation = ? AND coarse = ?"
        )
        with self._database.reading() as db:
            row = db.execute(query, (generation, coarse)).fetchone()
        return None if row is None else _read(self._database, row)

    def sizes(self, generation: int) -> list[int]:
        """The dimensions of the coarse vectors that a generation can be searched by."""
        with self._database.reading() as db:
            rows = db.execute("SELECT coarse FROM coarse_projections WHERE generation = ? ORDER BY 1", (generation,))
            return [size for (size,) in rows]

    def put(self, generation: int, projection: Projection) -> None:
        """Keep one, in the place of an earlier one to as many dimensions. Raises HomeNotWritable."""
        coarse = projection.matrix.shape[1]
        row = (generation, coarse, projection.matrix.shape[0], projection.matrix.tobytes(), int(projection.normalised))
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO coarse_projections VALUES (?, ?, ?, ?, ?, ?)", (*row, seal(*row)))


def _read(database: Database, row: Sequence[Any]) -> Projection:
    """The projection of a row, which ends with the dimensions that it takes, its matrix, whether it takes vectors of
    length 1, and its seal. Raises HomeCorrupt."""
    import numpy as np

    from embassay.embedders.wrap.projected import Projection

    *columns, sealed = row
    try:
        if sealed != seal(*columns):
            raise ValueError("the projection of a set was changed by hand")
        dimensions, matrix, normalised = columns[-3:]
        return Projection(np.frombuffer(matrix, np.float32).reshape(dimensions, -1), bool(normalised))
    except (ValueError, TypeError) as error:
        raise database.corrupt(error) from error


def put_projection(db: sqlite3.Connection, generation: int, projection: Projection) -> None:
    """Write the projection of a new generation, inside of a transaction."""
    row = (generation, projection.matrix.shape[0], projection.matrix.tobytes(), int(projection.normalised))
    db.execute("INSERT INTO projections VALUES (?, ?, ?, ?, ?)", (*row, seal(*row)))
