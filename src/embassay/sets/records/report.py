"""The report of a call that wrote records."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from embassay.sets.coverage import Named, listed


@dataclass(frozen=True, slots=True)
class RecordsReport:
    """What came of the records of one call."""

    set: str
    space: str
    added: int
    updated: int
    """Records whose ids were there, and that say something else now."""
    unchanged: int
    embedded: int
    """Chunks whose text was new."""
    given: int
    """Chunks whose vector was handed over."""
    chunks: int
    """In the set, after the call."""
    skipped: Named
    """(id, reason) of records that hold no text: they are kept, and nothing finds them."""
    quarantined: Named
    """(id, reason) of records of which the model did not take a part."""
    seconds: float
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
        """The report as JSON has it: every field, records that were left out as ``{"path": ..., "reason": ...}``."""
        named = {name: listed(getattr(self, name)) for name in ("skipped", "quarantined")}
        return asdict(self) | named | {"seconds": round(self.seconds, 3)}
