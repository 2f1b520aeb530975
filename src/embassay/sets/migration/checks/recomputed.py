"""``recomputed``: vectors that the model makes again, past every cache, are those that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.canaries import SAME_SPACE
from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = True
UNSEEN = 3.0
"""What none of n drawn rows shows is in at most 3 of n rows, with 95 % confidence (the rule of three)."""


def check(evidence: Evidence) -> Check | None:
    """Rows drawn by lot say how many rows may be wrong at most; suspected ones find the few among many."""
    again = evidence.again
    if not again.chunks:
        return None
    wrong = again.likeness < SAME_SPACE
    drawn, of_drawn = again.drawn, int(wrong[: again.drawn].sum())
    suspected, of_suspected = len(again.chunks) - drawn, int(wrong[drawn:].sum())
    everything = len(again.chunks) >= evidence.rows.new_rows
    figures = {
        "drawn": drawn, "drawn_wrong": of_drawn, "suspected": suspected, "suspected_wrong": of_suspected,
        "least_cosine": round(float(again.likeness.min()), 5), "refused": again.refused,
        "share_wrong_at_most": 0.0 if everything or not drawn else round(min(1.0, UNSEEN / drawn), 5),
    }  # fmt: skip
    if of_drawn or of_suspected:
        first = again.chunks[int(wrong.argmax())].path
        said = (
            f"{of_drawn:,} of {drawn:,} rows drawn by lot and {of_suspected:,} of {suspected:,} suspected ones have "
            f"another vector than the model makes of their text, down to a cosine of {again.likeness.min():.3f}; the "
            f"first is of {first}."
        )
        return Check("recomputed", False, said, figures)
    of = "all" if everything else f"{drawn:,} drawn by lot and the {suspected:,} most suspicious of"
    said = f"{of} {evidence.rows.new_rows:,} vectors were made again: the least cosine is {again.likeness.min():.4f}."
    return Check("recomputed", True, said, figures)
