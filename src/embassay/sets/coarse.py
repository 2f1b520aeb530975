"""The coarse vectors that a set is searched by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import remedy
from embassay.models.reference import uncut
from embassay.search.coarse import check_coarse, not_trained, projected_form, trained_form

if TYPE_CHECKING:
    from embassay.models.registry import Registry
    from embassay.sets.state import Generation, State
    from embassay.stores.coarse import CoarseForm


def coarse_form(state: State, models: Registry, generation: Generation, dimensions: int) -> CoarseForm:
    """How coarse vectors of so many dimensions are made of those of a generation.

    Raises UsageError where the model was not trained to be cut to them, and no PCA was fitted either.
    """
    check_coarse(dimensions, generation.space)
    trained = trained_form(generation.space, models.card(uncut(generation.spec.model)), dimensions)
    if trained is not None:
        return trained
    projection = state.coarse.of(generation.id, dimensions)
    if projection is None:
        fit = remedy.command("compress", set=generation.set_name, coarse=dimensions, say="Fit a PCA to the set")
        raise not_trained(generation.space, dimensions, fit)
    return projected_form(generation.space, projection)
