"""Matryoshka: the head of a vector, for models that were trained to be cut.

Kusupati et al., "Matryoshka Representation Learning", 2022. The head is scaled to length 1, unless the space is
compared by dot product: then training fitted the products of the heads as they are, and their lengths are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.embedders.base import Embedder
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.errors import DimensionsRefused
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Vectors

TRANSFORM = "matryoshka"
AFTER_LAYER_NORM = f"layer-norm+{TRANSFORM}"
EPSILON = 1e-5
"""Of the layer normalisation, as torch has it by default."""


class Cut(Wrapper):
    """The first `dimensions` of an embedder's vectors, of length 1 in a space that is compared by cosine."""

    is_transparent = True

    def __init__(self, inner: Embedder, dimensions: int, *, layer_norm: bool = False) -> None:
        super().__init__(inner)
        self._dimensions, self._layer_norm = dimensions, layer_norm

    @cached_property
    def space(self) -> Space:
        """The inner space with fewer dimensions and the transform named, unless nothing is cut."""
        return self._after(self.inner.space, AFTER_LAYER_NORM if self._layer_norm else TRANSFORM)

    @property
    def former_space(self) -> Space:
        return self._after(self.inner.former_space, TRANSFORM)

    def _after(self, whole: Space, transform: str) -> Space:
        if self._dimensions == whole.dimensions:
            return whole
        scaled = whole.similarity == "cosine"
        return replace(whole, dimensions=self._dimensions, normalised=scaled, transform=transform)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        for block in self.inner.stream(texts, role, on_long):
            yield self._cut(block)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        return self._cut(self.inner.embed(texts, role, on_long))

    def _cut(self, block: Embeddings) -> Embeddings:
        if self._dimensions == self.inner.space.dimensions:
            return block
        heads = cut(block.vectors, self._dimensions, layer_norm=self._layer_norm, scaled=self.space.normalised)
        return replace(block, vectors=heads, space=self.space)


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
