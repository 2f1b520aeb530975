"""The projections of generations whose vectors are reduced by PCA: kept where the generation is written down."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

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
        if row is None:
            return None
        import numpy as np

        from embassay.embedders.wrap.projected import Projection

        *columns, sealed = row
        try:
            if sealed != seal(*columns):
                raise ValueError("the projection of a set was changed by hand")
            _, dimensions, matrix, normalised = columns
            return Projection(np.frombuffer(matrix, np.float32).reshape(dimensions, -1), bool(normalised))
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error


def put_projection(db: sqlite3.Connection, generation: int, projection: Projection) -> None:
    """Write the projection of a new generation, inside of a transaction."""
    row = (generation, projection.matrix.shape[0], projection.matrix.tobytes(), int(projection.normalised))
    db.execute("INSERT INTO projections VALUES (?, ?, ?, ?, ?)", (*row, seal(*row)))
