"""``drift``: stored vectors are not all a little beside those that the model makes.

A short prompt before a long text moves its vector by less than what makes one row wrong, and moves every row. Made
again at the same precision, a vector has a cosine of 1.0000 to itself. Of another precision it has lost about 0.0011,
and no row loses twice as much (all-MiniLM-L6-v2 on SciFact, int8 against f32). Under a prompt of one word the mean loss
is 0.003 (0.0015 with all-mpnet-base-v2), and that of short texts ten times the median.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.canaries import SAME_SPACE
from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = True
MOST = 0.002
"""Of the cosine that vectors may lose on average."""
LITTLE, TAIL = 0.0003, 5.0
"""From this mean loss on, no row may lose more than so many times the median."""


def check(evidence: Evidence) -> Check | None:
    """Rows drawn by lot are looked at, but for those that are wrong altogether: see ``recomputed``."""
    again = evidence.again
    alike = again.likeness[: again.drawn]
    alike = alike[alike >= SAME_SPACE]
    if not len(alike):
        return None
    losses = sorted(float(1 - one) for one in alike)
    lost, tail = sum(losses) / len(losses), losses[-1] / max(losses[len(losses) // 2], 1e-9)
    figures = {"rows": len(alike), "mean_loss": round(lost, 6), "largest_loss": round(losses[-1], 6)}
    if lost > MOST or (lost > LITTLE and tail > TAIL):
        said = (
            f"all stored vectors lie beside those that the model makes now, on average by a cosine of {lost:.4f}, "
            "which is more than numeric precision: they were made with another prompt, or in another role."
        )
        return Check("drift", False, said, figures)
    return Check("drift", True, f"made again, vectors differ by a cosine of {max(lost, 0):.5f} on average.", figures)
