"""``canaries``: in both roles the model puts known texts where it put them when the generation was begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.canaries import SAME_SPACE, least_likeness
from embassay.embedders.wrap.wrapper import uncached
from embassay.sets.migration.check import Check

if TYPE_CHECKING:
    from embassay.sets.migration.evidence.gathered import Evidence

EMBEDS = True


def check(evidence: Evidence) -> Check | None:
    """Nothing to say of a generation whose canaries nobody noted."""
    side = evidence.new
    if side.anchor is None:
        return None
    embedder, similarity = uncached(side.open_embedder()), side.generation.space.similarity
    found: dict[str, float] = {}
    for role, expected in side.anchor.own.items():
        evidence.allowance.take(len(expected))
        found[role] = round(least_likeness(embedder.canaries(role), expected, similarity), 5)
    least = min(found.values())
    said = f"known texts lie where they lay when the generation was begun: the least cosine is {least:.4f}."
    if least < SAME_SPACE:
        said = f"the model puts known texts elsewhere than when the generation was begun (cosine {least:.3f})."
    return Check("canaries", least >= SAME_SPACE, said, {**found})
