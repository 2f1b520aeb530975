"""``drift``: stored vectors are not all a little beside those that the model makes.

A short prompt before a long text moves its vector by less than what makes one row wrong, and moves every row. Made
again at the same precision, a vector has a cosine of 1.0000 to itself; of another precision it has lost about 0.0011
(measured on all-MiniLM-L6-v2, int8 against f32); under a prompt of one word it loses 0.003 and more.
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


def check(evidence: Evidence) -> Check | None:
    """Rows drawn by lot are looked at, but for those that are wrong altogether: see ``recomputed``."""
    again = evidence.again
    alike = again.likeness[: again.drawn]
    alike = alike[alike >= SAME_SPACE]
    if not len(alike):
        return None
    lost = float(1 - alike.mean())
    figures = {"rows": len(alike), "mean_loss": round(lost, 6)}
    if lost > MOST:
        said = (
            f"all stored vectors lie beside those that the model makes now, on average by a cosine of {lost:.4f}, "
            "which is more than numeric precision: they were made with another prompt, or in another role."
        )
        return Check("drift", False, said, figures)
    return Check("drift", True, f"made again, vectors differ by a cosine of {max(lost, 0):.5f} on average.", figures)
