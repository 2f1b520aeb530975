"""``meaning``: titles, headings and sentences, asked as queries, find the document that they were taken from.

How often they can is not the same for any two sets, so it is not held against a fixed bar. Among the rows that were
made again the stored vectors have to find what the fresh ones find; and in the whole set the new generation must not be
near blind where the live one sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.sets.migration.evidence.gathered import Evidence
    from embassay.sets.migration.evidence.nearest import Nearest
    from embassay.sets.migration.evidence.questions import KnownItem
    from embassay.types import Vectors

EMBEDS = True
LOST = 0.05
"""Share of the questions that stored vectors may answer less often than fresh ones: ties, and numeric precision."""
TELLING = 20
"""Questions from which on the two generations are held against each other."""
SEEING, BLIND, LESS = 0.2, 0.25, 0.75
"""The live generation sees if it finds this share; the new one is blind if it finds this part of that, and worth a
warning if it finds less than the last."""


def check(evidence: Evidence) -> Check | None:
    """None for a set whose texts make no questions."""
    asked, again = evidence.questions, evidence.again
    if not asked:
        return None
    vectors = evidence.answers.vectors[: len(asked)]
    documents = [chunk.document for chunk in again.chunks]
    fresh = _first(vectors, again.fresh, documents, asked)
    stored = _first(vectors, again.stored, documents, asked)
    new = _found(asked, evidence.answers.found)
    live = None if evidence.old_answers is None else _found(asked, evidence.old_answers.found)
    figures = {
        "questions": len(asked), "kinds": _kinds(asked), "pool": len(documents),
        "first_fresh": round(fresh, 4), "first_stored": round(stored, 4),
        "found_new": round(new, 4), "found_live": None if live is None else round(live, 4),
    }  # fmt: skip
    said = f"{len(asked):,} titles, headings and sentences find their own document"
    if fresh - stored > max(LOST, 1.5 / len(asked)):
        among = f"first in {stored:.0%} among {len(documents):,} stored vectors, and in {fresh:.0%} among fresh ones."
        return Check("meaning", False, f"{said} {among}", figures)
    rates = f"{said} in {new:.0%} of cases in the new generation" + (
        "" if live is None else f", {live:.0%} in the live one"
    )
    if live is not None and len(asked) >= TELLING and live >= SEEING:
        if new < BLIND * live:
            return Check("meaning", False, f"{rates}: what the new model makes of queries does not fit.", figures)
        if new < LESS * live:
            return Check("meaning", True, f"{rates}: much less.", figures, warned=True)
    return Check("meaning", True, f"{rates}.", figures)


def _first(queries: Vectors, pool: Vectors, documents: Sequence[str], asked: Sequence[KnownItem]) -> float:
    """Share of questions whose own document is the first in a pool of rows."""
    import numpy as np

    best = np.nan_to_num(queries @ pool.T, nan=-np.inf).argmax(axis=1)
    return sum(documents[int(at)] == one.document for at, one in zip(best, asked, strict=True)) / len(asked)


def _found(asked: Sequence[KnownItem], found: Sequence[Nearest]) -> float:
    """Share of questions whose own document is among the first hits."""
    return sum(one.document in hits.documents for one, hits in zip(asked, found, strict=False)) / len(asked)


def _kinds(asked: Sequence[KnownItem]) -> dict[str, int]:
    return {kind: sum(one.kind == kind for one in asked) for kind in sorted({one.kind for one in asked})}
