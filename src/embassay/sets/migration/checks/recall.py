"""``recall``: the index of the new generation finds what exact search finds, by vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check
from embassay.sets.migration.evidence.nearest import DEPTH

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence
    from embassay.sets.migration.evidence.nearest import Nearest
    from embassay.stores.base import Snapshot
    from embassay.types import Vectors

EMBEDS = True
LEAST = 0.95
"""Mean recall@10 that an index has to have."""
TIED = 1e-4
"""Scores that differ by less may be in either order."""


def check(evidence: Evidence) -> Check | None:
    """Every query of the evidence is asked. None where there are none."""
    answers, snapshot = evidence.answers, evidence.new.snapshot
    rows = zip(answers.vectors, answers.found, strict=True)
    recalls = [_recall(snapshot, vector, exact) for vector, exact in rows if exact.keys and vector.any()]
    if not recalls:
        return None
    mean = sum(recalls) / len(recalls)
    figures = {"queries": len(recalls), f"recall@{DEPTH}": round(mean, 4)}
    said = (
        f"the index finds {mean:.1%} of the first {DEPTH} rows that exact search finds, over {len(recalls):,} queries."
    )
    return Check("recall", mean >= LEAST, said, figures)


def _recall(snapshot: Snapshot, vector: Vectors, exact: Nearest) -> float:
    hits = snapshot.dense(vector, DEPTH)
    keys = {chunk.key for chunk in snapshot.fetch([hit.ref for hit in hits])}
    least = exact.scores[-1]
    missed = [s for key, s in zip(exact.keys, exact.scores, strict=True) if key not in keys and s > least + TIED]
    return (
        1 - len(missed) / len(exact.keys)
        if len(hits) == len(exact.keys)
        else len(keys & {*exact.keys}) / len(exact.keys)
    )
