"""``change``: how much of what is found stays the same, where nobody has judged what ought to be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check
from embassay.sets.migration.evidence.nearest import DEPTH

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = True


def check(evidence: Evidence) -> Check | None:
    """None with a judged set, and where the model of the live generation cannot be asked."""
    live = None if evidence.judged else evidence.old_answers
    if live is None or not live.found:
        return None
    pairs = [(a, b) for a, b in zip(live.found, evidence.answers.found, strict=True) if a.keys and b.keys]
    if not pairs:
        return None
    overlap = sum(len({*a.keys} & {*b.keys}) / max(len(a.keys), len(b.keys)) for a, b in pairs) / len(pairs)
    first = sum(a.keys[0] == b.keys[0] for a, b in pairs) / len(pairs)
    figures = {
        "queries": len(pairs), "logged": len(evidence.logged),
        f"overlap@{DEPTH}": round(overlap, 4), "same_first": round(first, 4),
    }  # fmt: skip
    said = (
        f"of the first {DEPTH} rows {overlap:.0%} stay the same, and {first:.0%} of the first ones, over "
        f"{len(pairs):,} queries. This measures change and not quality: no judged set was given."
    )
    return Check("change", True, said, figures, warned=True)
