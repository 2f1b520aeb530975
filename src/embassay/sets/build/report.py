"""The report of an index run."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.sets.coverage import listed


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did."""

    set: str
    space: str
    files: int
    """Files that were read in this run."""
    unchanged: int
    removed: int
    """Files whose rows went because the file is gone."""
    embedded: int
    """Chunks whose text was new."""
    chunks: int
    """In the set, after the run."""
    skipped: tuple[tuple[str, str], ...]
    """(path, reason) of files that were left out on purpose."""
    quarantined: tuple[tuple[str, str], ...]
    """(path, reason) of files of the set, or of records in them, that could not be read."""
    seconds: float
    read_in_part: tuple[tuple[str, str], ...] = ()
    """(path, reason) of files of the set that hold more than was read of them, though nothing failed."""
    cached: int = 0
    """Of `embedded`, those whose vectors were in the cache."""
    usd: float | None = 0.0
    """Paid to providers; None where one did not say how much it counted."""
    space_digest: str = ""
    """Of the space: two that are printed alike may differ, their digests do not."""
    language: str = ""
    """Code of the language that the set's words are told apart by."""
    waiting: int = 0
    """Chunks of the set that are found by words only, until it is indexed: no rule of it had them embedded."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it: every field, files that were left out as ``{"path": ..., "reason": ...}``."""
        plain = {
            name: getattr(self, name)
            for name in (
                "set",
                "space",
                "space_digest",
                "language",
                "files",
                "unchanged",
                "removed",
                "embedded",
                "cached",
                "chunks",
                "waiting",
                "usd",
            )
        }
        files = {name: listed(getattr(self, name)) for name in ("skipped", "quarantined", "read_in_part")}
        return plain | files | {"seconds": round(self.seconds, 3)}
