"""How the hybrid searches of a set join what their arms find, where that was fitted to judged queries of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embassay import jsontext
from embassay.sets.database import Database
from embassay.sets.history import note

APPLIED, RESET = "fusion applied", "fusion reset"
"""As the history has them."""


@dataclass(frozen=True, slots=True)
class FittedFusion:
    """The fusion of a set."""

    fusion: str
    """As it is written in a pipeline."""
    space: str
    """The digest of the space to whose scores it was fitted: those of another model are joined as usual."""
    detail: Mapping[str, Any]
    """On which judged data it was fitted, and what it gained there on queries held out."""

    def to_dict(self, space_digest: str) -> dict[str, object]:
        """As JSON has it; `space_digest` is that of the live generation."""
        return {"fusion": self.fusion, "in_use": self.space == space_digest, **self.detail}


class Fusions:
    """Those of the sets of one home. Its table follows where a set is renamed or deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, name: str) -> FittedFusion | None:
        """That of one set; None where it has none of its own. Raises HomeCorrupt."""
        with self._database.reading() as db:
            row = db.execute("SELECT fusion, space, detail FROM fusions WHERE set_name = ?", (name,)).fetchone()
        if row is None:
            return None
        fusion, space, detail = row
        try:
            made = FittedFusion(fusion, space, jsontext.loads(detail))
        except (ValueError, TypeError) as error:
            raise self._database.corrupt(error) from error
        return self._database.checked(made)

    def put(self, name: str, fitted: FittedFusion, live: int) -> None:
        """Keep one in the place of an earlier one. `live` is the generation that is searched. Raises HomeError."""
        row = (name, fitted.fusion, fitted.space, jsontext.dumps(fitted.detail))
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO fusions VALUES (?, ?, ?, ?)", row)
            note(db, name, APPLIED, live, {"fusion": fitted.fusion, **fitted.detail})

    def remove(self, name: str, live: int) -> bool:
        """Forget it; whether there was one. Raises HomeError."""
        with self._database.writing() as db:
            gone = db.execute("DELETE FROM fusions WHERE set_name = ?", (name,)).rowcount > 0
            if gone:
                note(db, name, RESET, live, {})
        return gone
