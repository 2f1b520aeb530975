"""The projection that the vectors of a generation are reduced by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import HomeCorrupt

if TYPE_CHECKING:
    from embassay.embedders.wrap.projected import Projection
    from embassay.sets.state import Generation, State


def projection_of(generation: Generation, state: State) -> Projection:
    """That of a generation whose vectors are reduced. Raises HomeCorrupt where it is not the one its space names."""
    found = state.projections.of(generation.id)
    if found is None or found.transform != generation.space.transform:
        raise HomeCorrupt(
            f"{state.file} is damaged: the projection of set {generation.set_name!r} is missing.",
            remedy=remedy.command("migrate", generation.set_name, to=generation.spec.model, say="Build it anew"),
        )
    return found
