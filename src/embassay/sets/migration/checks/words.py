"""``words``: the index of words of the new generation finds what that of the live one finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check
from embassay.sets.migration.evidence.nearest import DEPTH

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence
    from embassay.stores.base import Snapshot

EMBEDS = True
LOST = 0.02
"""Share of questions that may be answered less often: rows of one score come in any order."""


def check(evidence: Evidence) -> Check | None:
    """None for a set whose texts make no questions."""
    asked = evidence.questions
    if not asked:
        return None
    live, new = (
        sum(_finds(side.snapshot, one.text, one.document) for one in asked) / len(asked)
        for side in (evidence.old, evidence.new)
    )
    figures = {"questions": len(asked), "found_live": round(live, 4), "found_new": round(new, 4)}
    said = (
        f"by words, {new:.0%} of {len(asked):,} questions find their own document, {live:.0%} in the live generation."
    )
    return Check("words", live - new <= max(LOST, 1.5 / len(asked)), said, figures)


def _finds(snapshot: Snapshot, text: str, document: str) -> bool:
    hits = snapshot.fetch([hit.ref for hit in snapshot.lexical(text, DEPTH)])
    return any(chunk.document == document for chunk in hits)
