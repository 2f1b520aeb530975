"""What was found out about a table of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LISTED = 1_000
"""Numbers of rows that a finding names at most."""


@dataclass(frozen=True, slots=True)
class VectorFinding:
    """Something about the vectors of a table that whoever searches them should know."""

    check: str
    """``zero``, ``broken``, ``length``, ``doubled``, ``cut``, ``padded``, ``role``, ``negated``, ``shuffled``,
    ``mixed``, ``model`` or ``dimensions``."""
    level: Literal["problem", "notice"]
    message: str
    count: int
    """Rows that it is about."""
    of: int
    """Rows that were looked at for it: all of them, or those of the sample."""
    rows: Sequence[int] = ()
    """The first of those rows, counted from 0; the first of all is the example."""

    def to_dict(self) -> dict[str, object]:
        """The finding as JSON has it."""
        plain = {name: getattr(self, name) for name in ("check", "level", "message", "count", "of")}
        return plain | {"rows": [*self.rows]}


@dataclass(frozen=True, slots=True)
class VectorReport:
    """What a table of vectors is, as far as one model can tell."""

    place: str
    rows: int
    dimensions: int
    text_field: str
    vector_field: str
    space: str
    """Of the model."""
    compared: int
    """Rows of the sample whose texts were embedded again."""
    agreeing: int
    """Of these, rows whose vector is what the model makes of the text, in one of its roles."""
    role: str
    """In which that is so: ``document``, ``query``, ``either`` where the model has one way for both; empty where none
    agrees."""
    least_cosine: float | None
    """Of the agreeing rows."""
    findings: Sequence[VectorFinding]
    """Problems first."""

    @property
    def is_well(self) -> bool:
        """Whether nothing stands in the way of searching these vectors with this model."""
        return not any(finding.level == "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        names = ("place", "rows", "dimensions", "text_field", "vector_field", "space", "compared", "agreeing", "role")
        plain = {name: getattr(self, name) for name in (*names, "least_cosine")}
        return plain | {"findings": [finding.to_dict() for finding in self.findings]}
