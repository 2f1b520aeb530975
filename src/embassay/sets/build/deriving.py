"""Vectors of one generation made from those of another: no text is embedded for them.

That can be had where the spaces say so: they are equal, and only the type differs that numbers are kept as; or the
other one holds the heads of the same vectors (Matryoshka), or what a projection makes of them (PCA).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from embassay.space import NO_TRANSFORM

if TYPE_CHECKING:
    from embassay.embedders.wrap.projected import Projection
    from embassay.space import Space
    from embassay.types import Vectors

Derive = Callable[["Vectors"], "Vectors"]
"""Makes float32 (n, dimensions of the derived space) of stored rows. Rows of zeros stay zeros."""


def derivation(stored: Space, wanted: Space, projection: Projection | None = None) -> Derive | None:
    """What makes vectors of `wanted` of those that are stored in `stored`; None where only the model can.

    `projection`: that of the generation whose vectors are wanted, where it has one.
    """
    from embassay.embedders.wrap.cut import AFTER_LAYER_NORM, TRANSFORM, cut, cut_space

    if stored == wanted:
        return _as_they_are
    if projection is not None:
        fits = projection.whole_space(wanted) == stored
        return partial(projection.apply, scaled=wanted.normalised) if fits else None
    how = wanted.transform
    if how not in (TRANSFORM, AFTER_LAYER_NORM) or stored.transform not in (NO_TRANSFORM, how):
        return None
    if wanted.dimensions >= stored.dimensions or cut_space(stored, wanted.dimensions, how) != wanted:
        return None
    layer_norm = how == AFTER_LAYER_NORM and stored.transform == NO_TRANSFORM  # heads were made of it already
    return partial(cut, dimensions=wanted.dimensions, layer_norm=layer_norm, scaled=wanted.normalised)


def _as_they_are(vectors: Vectors) -> Vectors:
    return vectors
