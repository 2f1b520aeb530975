"""``rows``: every key of the live generation is in the new one, once, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = False


def check(evidence: Evidence) -> Check:
    """Counts are told, and the places of the first rows that are missing, doubled, or there too many."""
    pairing, found = evidence.rows, evidence.rows.differences
    wrong = {"missing": found.missing, "too many": found.extra, "doubled": found.doubled}
    figures = {
        "live": pairing.old_rows, "new": pairing.new_rows, "refused": found.refused,
        "missing": len(found.missing), "extra": len(found.extra), "doubled": len(found.doubled),
    }  # fmt: skip
    bad = [
        f"{len(keys):,} rows are {what}, first one of {pairing.place(keys[0])}" for what, keys in wrong.items() if keys
    ]
    if bad:
        return Check("rows", False, f"{'; '.join(bad)}.", figures)
    if found.refused:
        said = f"{found.refused:,} texts were refused by the new model, and are not found after a switch."
        return Check("rows", True, said, figures, warned=True)
    return Check("rows", True, f"both generations have the same {len(pairing.at):,} keys.", figures)
