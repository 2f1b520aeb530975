"""How much of what the files of a set hold was read, and which files give less than they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embassay.sets.state import SourceRow

Named = tuple[tuple[str, str], ...]
"""(path, reason) of files."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of the files of one set."""

    documents: int
    chars: int
    """Characters of the documents."""
    chars_left_out: int
    """Characters that the files hold besides, as far as that is known."""
    quarantined: Named
    """Files, or records in them, that could not be read."""
    read_in_part: Named
    """Files that hold more than was read of them, though nothing failed."""
    skipped: Named
    """Files that are left out on purpose."""

    @property
    def share(self) -> float:
        """Of the characters that the files hold, those that were read; 1 where nothing is known to be missing."""
        held = self.chars + self.chars_left_out
        return self.chars / held if held else 1.0

    def to_dict(self) -> dict[str, object]:
        """As JSON has it: counts of characters and of files."""
        plain = {name: getattr(self, name) for name in ("documents", "chars", "chars_left_out")}
        counts = {name: len(getattr(self, name)) for name in ("quarantined", "read_in_part", "skipped")}
        return plain | {"share": round(self.share, 6)} | counts


def coverage(rows: Iterable[SourceRow]) -> Coverage:
    """What the bookkeeping of a generation says of its files."""
    rows = sorted(rows, key=lambda row: row.path)
    return Coverage(
        documents=sum(row.documents for row in rows),
        chars=sum(row.chars for row in rows),
        chars_left_out=sum(row.left_chars for row in rows),
        quarantined=_named(rows, lambda row: row.reason if row.quarantined else ""),
        read_in_part=_named(rows, lambda row: row.left_out),
        skipped=_named(rows, lambda row: row.reason if row.state == "skipped" else ""),
    )


def listed(files: Named) -> list[dict[str, str]]:
    """The files as JSON has them."""
    return [{"path": path, "reason": reason} for path, reason in files]


def _named(rows: list[SourceRow], reason: Callable[[SourceRow], str]) -> Named:
    return tuple((row.path, said) for row in rows if (said := reason(row)))


NOTHING = coverage(())
"""Of a set without files."""
