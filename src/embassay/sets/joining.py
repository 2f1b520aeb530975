"""How hybrid searches of a set join what their arms find: as every set does, or by a fusion that was fitted to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import HomeCorrupt, UsageError
from embassay.sets.fusions import FittedFusion

if TYPE_CHECKING:
    from embassay.search.fusion import Fusion
    from embassay.sets.opened import OpenSets


def fusion_of(sets: OpenSets, name: str) -> Fusion | None:
    """The fusion of a set, else that of the set it is a view of; None where there is none, or it was fitted to the
    scores of another model. Raises HomeNotFound, SetNotFound, HomeCorrupt.
    """
    content, fusions = sets.content(name), sets.state.fusions
    fitted = fusions.of(name) or (fusions.of(content.own) if content.view else None)
    if fitted is None or fitted.space != content.generation.space.digest:
        return None
    from embassay.search.parse import parse_fusion

    try:
        return parse_fusion(fitted.fusion)
    except UsageError as error:  # of a stage that is not installed any more, or of a damaged row
        raise HomeCorrupt(
            f"the fusion of set {name!r} cannot be used: {error.message}",
            remedy=remedy.command("tune-fusion", set=name, reset=True, say="Take it back"),
        ) from error


def use_fusion(sets: OpenSets, name: str, fusion: str | Fusion | None, detail: Mapping[str, object]) -> bool:
    """Keep the fusion of a set, or forget it where that is None; whether anything was changed.

    Raises UsageError for what is no fusion, SetNotFound, HomeError.
    """
    from embassay.search.parse import parse_fusion

    generation, fusions = sets.content(name).generation, sets.state.fusions
    if fusion is None:
        return fusions.remove(name, generation.id)
    fitted = FittedFusion(str(parse_fusion(str(fusion))), generation.space.digest, detail)
    changed = fusions.of(name) != fitted
    if changed:
        fusions.put(name, fitted, generation.id)
    return changed
