"""What came of an import."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.sets.coverage import Named, listed


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """A set that was made out of vectors that were there."""

    set: str
    space: str
    space_digest: str
    documents: int
    chunks: int
    """In the set, after the run."""
    written: int
    """Chunks that were written in this run; the others were there from one that had stopped."""
    least_cosine: float | None
    """Of the vectors that the model made again, with those that were imported; None where there was no text."""
    compared: int
    """How many that were."""
    left_out: int
    """Rows that make no record."""
    reasons: Named
    """(row, reason) of the first of those."""
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        names = (
            "set",
            "space",
            "space_digest",
            "documents",
            "chunks",
            "written",
            "least_cosine",
            "compared",
            "left_out",
        )
        plain = {name: getattr(self, name) for name in names}
        return plain | {"reasons": listed(self.reasons), "seconds": round(self.seconds, 3)}
