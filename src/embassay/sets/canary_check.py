"""Where the model of a set puts the canary texts now, held against where it put them when the set was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS, least_likeness
from embassay.embedders.wrap.wrapper import uncached
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.canaries import Canaries
    from embassay.sets.opened import OpenSets
    from embassay.types import Role, Vectors


@dataclass(frozen=True, slots=True)
class CanaryFound:
    """The canaries of a set in one role, as its model makes them now."""

    role: Role
    model: str
    """Who made them, as `Embeddings.model` says it."""
    precision: str
    vectors: Vectors
    """float32 (number of canaries, dimensions of the set)."""
    cosine: float | None
    """The least likeness to what they were; None where nobody noted that."""


def ask_canaries(sets: OpenSets, name: str, known: Canaries | None = None) -> Mapping[Role, CanaryFound]:
    """The canaries in both roles, asked of the model of a set past every cache.

    `known`: where they were, for a set that has not noted it. Raises SetNotFound, SpaceMismatch where the model itself
    is refused, ModelError, ProviderError.
    """
    generation = sets.content(name).generation
    anchor = sets.state.proofs.anchor(generation.id)
    expected = anchor.made if anchor else known or {}
    asked = uncached(sets.embedder(generation))
    found: dict[Role, CanaryFound] = {}
    for role in ROLES:
        made = asked.embed(CANARY_TEXTS, role)
        before = expected.get(role)
        cosine = None if before is None else least_likeness(made.vectors, before, generation.space.similarity)
        found[role] = CanaryFound(role, made.model, made.precision, made.vectors, cosine)
    return found
