"""What proves a generation's vectors: where its model put the canaries, and which other models put them there too."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS, Anchor
from embassay.seals import seal
from embassay.sets.database import Database
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Role, Vectors


@dataclass(frozen=True, slots=True)
class ProvenModel:
    """A model of another space by name that was proven to put texts where the model of a generation does."""

    model: str
    space: str
    cosine: float
    """The least one of all canaries in both roles."""
    made: str
    """Date and time, UTC."""

    def to_dict(self) -> dict[str, object]:
        """The proof as JSON has it."""
        return {"model": self.model, "space": self.space, "cosine": self.cosine, "made": self.made}


class Proofs:
    """The canaries and proofs of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def anchor(self, generation: int) -> Anchor | None:
        """Where the model of a generation put the canaries; None where nobody noted it. Raises HomeCorrupt."""
        query = "SELECT generation, role, own, made, seal FROM canaries WHERE generation = ?"
        with self._database.reading() as db:
            rows = db.execute(query, (generation,)).fetchall()
        if not rows:
            return None
        own: dict[Role, Vectors] = {}
        made: dict[Role, Vectors] = {}
        for identity, role, own_bytes, made_bytes, sealed in rows:
            if sealed != seal(identity, role, own_bytes, made_bytes):
                raise self._database.corrupt(ValueError("the canaries of a set were changed by hand"))
            own[role], made[role] = _rows(own_bytes), _rows(made_bytes)
        if set(own) != set(ROLES):
            raise self._database.corrupt(ValueError("a set has the canaries of one role only"))
        plain = all(own[role].shape == made[role].shape and (own[role] == made[role]).all() for role in ROLES)
        return Anchor(own, own if plain else made)

    def keep(self, generation: int, anchor: Anchor) -> None:
        """Note where the model of a generation puts the canaries, unless that is noted. Raises HomeError."""
        with self._database.writing() as db:
            if not db.execute("SELECT 1 FROM canaries WHERE generation = ?", (generation,)).fetchone():
                put_anchor(db, generation, anchor)

    def add(self, generation: int, model: str, space: Space, cosine: float) -> None:
        """Note that `model` was proven to share the space of a generation. Raises HomeError."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO proofs VALUES (?, ?, ?, ?, ?)",
                (generation, model, str(space), round(cosine, 6), now),
            )

    def of(self, generation: int) -> list[ProvenModel]:
        """Models that were proven to share the space of a generation, the latest first."""
        query = "SELECT model, space, cosine, made FROM proofs WHERE generation = ? ORDER BY made DESC, model"
        with self._database.reading() as db:
            return [ProvenModel(*row) for row in db.execute(query, (generation,))]


def put_anchor(db: sqlite3.Connection, generation: int, anchor: Anchor) -> None:
    """Write the canaries of a new generation, inside of a transaction."""
    for role in ROLES:
        blobs = (_bytes(anchor.own, role), _bytes(anchor.made, role))
        row = (generation, role, *blobs)
        db.execute("INSERT INTO canaries VALUES (?, ?, ?, ?, ?)", (*row, seal(*row)))


def _bytes(canaries: Mapping[Role, Vectors], role: Role) -> bytes:
    import numpy as np

    return np.ascontiguousarray(canaries[role], np.float32).tobytes()


def _rows(data: bytes) -> Vectors:
    import numpy as np

    return np.frombuffer(data, np.float32).reshape(len(CANARY_TEXTS), -1)
