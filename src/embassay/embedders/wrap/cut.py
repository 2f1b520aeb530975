"""Matryoshka: the head of a vector, for models that were trained to be cut.

Kusupati et al., "Matryoshka Representation Learning", 2022. The head is scaled to length 1, unless the space is
compared by dot product: then training fitted the products of the heads as they are, and their lengths are kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.embedders.wrap.transformed import Transformed
from embassay.errors import DimensionsRefused
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.space import Space
    from embassay.types import Vectors

TRANSFORM = "matryoshka"
AFTER_LAYER_NORM = f"layer-norm+{TRANSFORM}"
EPSILON = 1e-5
"""Of the layer normalisation, as torch has it by default."""


class Cut(Transformed):
    """The first `dimensions` of an embedder's vectors, of length 1 in a space that is compared by cosine."""

    def __init__(self, inner: Embedder, dimensions: int, *, layer_norm: bool = False) -> None:
        super().__init__(inner)
        self._dimensions, self._layer_norm = dimensions, layer_norm

    @property
    def former_space(self) -> Space:
        """Sets that were made before had no layer normalisation."""
        return cut_space(self.inner.former_space, self._dimensions)

    def _after(self, whole: Space) -> Space:
        return cut_space(whole, self._dimensions, AFTER_LAYER_NORM if self._layer_norm else TRANSFORM)

    def _transform(self, vectors: Vectors) -> Vectors:
        return cut(vectors, self._dimensions, layer_norm=self._layer_norm, scaled=self.space.normalised)


def cut_space(whole: Space, dimensions: int, transform: str = TRANSFORM) -> Space:
    """The space of the heads of vectors of `whole`; `whole` itself where nothing is cut."""
    if dimensions == whole.dimensions:
        return whole
    return replace(whole, dimensions=dimensions, normalised=whole.similarity == "cosine", transform=transform)


def cut(vectors: Vectors, dimensions: int, *, layer_norm: bool = False, scaled: bool = True) -> Vectors:
    """float32 (n, dimensions), `scaled` to length 1; zero rows stay zero."""
    import numpy as np

    if layer_norm:
        centred = vectors - vectors.mean(axis=1, keepdims=True)
        vectors = centred / np.sqrt(vectors.var(axis=1, keepdims=True) + EPSILON)
    heads = vectors[:, :dimensions]
    return unit_rows(heads) if scaled else heads


def check_dimensions(model: str, wanted: int, card: ModelCard | None) -> None:
    """Raises DimensionsRefused, with the allowed ones, unless the model was trained to give `wanted` dimensions."""
    if card is None or (not card.dimensions and not card.can_cut):
        raise DimensionsRefused(
            f"nothing is known of {model} that allows {wanted} dimensions.",
            remedy="Leave dimensions out, or give it a card with its Matryoshka dimensions.",
        )
    if not card.allows_dimensions(wanted):
        why = "" if card.can_cut else ", which was not trained to be cut (Matryoshka)"
        raise DimensionsRefused(
            f"{wanted} dimensions are not for {model}{why}.", remedy=f"Allowed: {card.allowed_dimensions()}."
        )
