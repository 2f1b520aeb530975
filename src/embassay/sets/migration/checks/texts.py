"""``texts``: under each key both generations have the same text and metadata, of the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = False


def check(evidence: Evidence) -> Check:
    """Every row is compared."""
    pairing, found = evidence.rows, evidence.rows.differences
    figures = {"texts": len(found.texts), "metadata": len(found.metadata)}
    for what, keys in (("another text", found.texts), ("other metadata", found.metadata)):
        if keys:
            said = f"{len(keys):,} rows have {what} than in the live generation, first one of {pairing.place(keys[0])}."
            return Check("texts", False, said, figures)
    return Check("texts", True, "texts and metadata are the same in both, row by row.", figures)
