"""Which coarse vectors a space may be searched by: heads that its model was trained for, else a PCA of the set."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from embassay.embedders.wrap.cut import AFTER_LAYER_NORM, TRANSFORM, cut, cut_space
from embassay.errors import UsageError
from embassay.remedy import Remedy
from embassay.space import NO_TRANSFORM
from embassay.stores.coarse import CoarseForm

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.wrap.projected import Projection
    from embassay.space import Space


def check_coarse(dimensions: int, space: Space) -> None:
    """Raises UsageError unless vectors of so many dimensions are coarser than those of `space`."""
    if not 0 < dimensions < space.dimensions:
        raise UsageError(
            f"coarse vectors of {space} have from 1 to {space.dimensions - 1} dimensions, not {dimensions}."
        )


def trained_form(space: Space, card: ModelCard | None, dimensions: int) -> CoarseForm | None:
    """Heads of so many dimensions; None where the card does not say that the model was trained for them."""
    if card is None or not card.can_cut or not card.allows_dimensions(dimensions):
        return None
    if space.transform not in (NO_TRANSFORM, TRANSFORM, AFTER_LAYER_NORM):
        return None
    layer_norm = card.matryoshka_layer_norm and space.transform == NO_TRANSFORM
    how = AFTER_LAYER_NORM if card.matryoshka_layer_norm else TRANSFORM
    apply = partial(cut, dimensions=dimensions, layer_norm=layer_norm, scaled=space.similarity == "cosine")
    return CoarseForm(cut_space(space, dimensions, how), apply)


def projected_form(space: Space, projection: Projection) -> CoarseForm:
    """What a PCA makes of vectors of `space`."""
    coarse = projection.space_of(space)
    return CoarseForm(coarse, partial(projection.apply, scaled=coarse.normalised))


def not_trained(space: Space, dimensions: int, remedy: Remedy | str) -> UsageError:
    """The error for a bare cut of a model that was not trained for it, with what that costs."""
    return UsageError(
        f"{space.model} was not trained to be cut to {dimensions} dimensions (Matryoshka), and a bare cut loses more "
        "than it saves: all-MiniLM-L6-v2 falls on SciFact from nDCG@10 0.645 to 0.600 where it is cut to 128 "
        "dimensions, and to 0.632 where a PCA of the set reduces it to as many.",
        remedy=remedy,
    )
