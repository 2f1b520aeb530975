"""Chunks that are stored without a vector, because their set is told to embed later: found by words only until then."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.sets.build.origin import Change, New

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation

ON_CREATE, ON_UPDATE = "on_create", "on_update"
RULES = (ON_CREATE, ON_UPDATE)
"""When a set embeds on its own: documents that are new, and those that it has with another content."""


def check_rules(rules: Collection[str]) -> tuple[str, ...]:
    """The rules in order. Raises UsageError for one that there is not."""
    for rule in rules:
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r} for when to embed; there are: {', '.join(RULES)}.")
    return tuple(rule for rule in RULES if rule in rules)


def deferred_by(sets: OpenSets, generation: Generation) -> Callable[[Change], Change] | None:
    """`deferring` by the rules of a set; None for one that was never told any, and embeds at once."""
    rules = sets.state.roster.auto_embed(generation.set_name)
    return None if rules is None else deferring(rules, generation.space.dimensions)


def deferring(rules: Collection[str], dimensions: int) -> Callable[[Change], Change]:
    """What gives chunks that no rule asks to embed a vector of zeros, and has their origins wait for the model."""
    import numpy as np

    zeros = np.zeros(dimensions, np.float32)

    def deferred(change: Change) -> Change:
        if not isinstance(change, New) or change.vector is not None:
            return change
        if (ON_CREATE if change.origin.before is None else ON_UPDATE) in rules:
            return change
        change.origin.unembedded = True
        return replace(change, vector=zeros)

    return deferred
