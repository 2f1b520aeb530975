"""``vectors``: every new vector can be one: finite, not zero, and of length 1 where the space asks for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = False


def check(evidence: Evidence) -> Check:
    """Every row is looked at. Texts that share a vector are suspected, and recomputed: see ``recomputed``."""
    pairing, bad = evidence.rows, evidence.rows.differences.unsound
    alike = sum(len(group) for group in pairing.alike)
    figures = {"unsound": len(bad), "alike": alike}
    if bad:
        said = f"{len(bad):,} vectors are zero, not finite or of a wrong length, first one of {pairing.place(bad[0])}."
        return Check("vectors", False, said, figures)
    shared = f" {alike:,} different texts share theirs with another." if alike else ""
    return Check("vectors", True, f"all {pairing.new_rows:,} vectors are sound.{shared}", figures)
