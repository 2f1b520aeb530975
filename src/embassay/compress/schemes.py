"""What is measured: codes of whole vectors, and of vectors of fewer dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from embassay.compress.codes import all_codes
from embassay.errors import UsageError
from embassay.space import NO_TRANSFORM

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.compress.base import Code, Coding
    from embassay.space import Space
    from embassay.stores.values import Capabilities
    from embassay.types import Vectors

WHOLE = "float32"
"""The code of vectors as models make them."""
PARTS = (2 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 6)
"""Of its dimensions, that PCA reduces a vector to."""
NO_STORE = "no store keeps it"


@dataclass(frozen=True, eq=False)
class Reduction:
    """What makes vectors of fewer dimensions, or leaves them as they are."""

    name: str
    """Empty for those that are left as they are."""
    dimensions: int
    apply: Callable[[Vectors], Vectors]
    options: Mapping[str, int]
    """Of `embassay.embedding_set.EmbeddingSet.migrate`: what makes a generation of such vectors."""


@dataclass(frozen=True, eq=False)
class Scheme:
    """A code, of whole or of reduced vectors."""

    name: str
    """``int8``, ``pca(128)``, ``pca(128) int8``."""
    reduction: Reduction
    code: Code
    bytes: float
    """Of a vector."""
    unkept: str = ""
    """Why the store of the set cannot keep it; empty where it can."""

    @property
    def options(self) -> Mapping[str, int | str]:
        """What `migrate` is told so that a generation is made of it."""
        return {**self.reduction.options, "dtype": self.code.dtype}

    def fit(self, sample: Vectors) -> Coding:
        """Its code, fitted to a sample of whole vectors."""
        return self.code.fit(self.reduction.apply(sample))


@dataclass(frozen=True, slots=True)
class StoredAs:
    """How the vectors of a set are stored."""

    space: Space
    dtype: str
    store: str
    capabilities: Capabilities
    card: ModelCard | None

    @property
    def bytes(self) -> float:
        """Of a vector."""
        return all_codes()[self.dtype].size(self.space.dimensions)


def schemes(stored: StoredAs, sample: Vectors) -> list[Scheme]:
    """Everything that such vectors can be compressed to, the smallest last; first of all they themselves."""
    codes = all_codes()
    whole = Reduction("", stored.space.dimensions, _as_they_are, {})
    made = [Scheme(name, whole, code, code.size(whole.dimensions)) for name, code in codes.items()]
    for reduction in (*_cuts(stored), *_projections(stored, sample)):
        for name, code in codes.items():
            if code.reduced:
                said = reduction.name if name == WHOLE else f"{reduction.name} {name}"
                made.append(Scheme(said, reduction, code, code.size(reduction.dimensions)))
    own = next(one for one in made if one.name == stored.dtype)
    smaller = (one for one in made if one.bytes < stored.bytes and _can(one.code, stored, sample))
    return [own, *sorted((_held(one, stored) for one in smaller), key=lambda one: (-one.bytes, one.name))]


def _held(scheme: Scheme, stored: StoredAs) -> Scheme:
    if not scheme.code.dtype:
        why = NO_STORE
    elif scheme.code.dtype not in stored.capabilities.dtypes:
        why = f"the store {stored.store} keeps no {scheme.code.dtype}"
    else:
        return scheme
    return Scheme(scheme.name, scheme.reduction, scheme.code, scheme.bytes, why)


def _can(code: Code, stored: StoredAs, sample: Vectors) -> bool:
    """Whether it can be had of such vectors: int8 of a row keeps no length, and some need many rows to be fitted."""
    if code.dtype == "int8" and stored.space.similarity != "cosine":
        return False
    try:
        code.fit(sample[:256])
    except UsageError:
        return False
    return True


def _cuts(stored: StoredAs) -> Iterator[Reduction]:
    """Heads of vectors of a model that was trained for that (Matryoshka), by the dimensions of its card."""
    from embassay.embedders.wrap.cut import AFTER_LAYER_NORM, TRANSFORM, cut

    card, space = stored.card, stored.space
    if card is None or space.transform not in (NO_TRANSFORM, TRANSFORM, AFTER_LAYER_NORM):
        return
    layer_norm = card.matryoshka_layer_norm and space.transform == NO_TRANSFORM
    for dimensions in sorted(card.matryoshka, reverse=True):
        if dimensions < space.dimensions:
            apply = partial(cut, dimensions=dimensions, layer_norm=layer_norm, scaled=space.similarity == "cosine")
            yield Reduction(f"cut({dimensions})", dimensions, apply, {"truncate_dim": dimensions})


def _projections(stored: StoredAs, sample: Vectors) -> Iterator[Reduction]:
    """PCA, fitted to the vectors of the set, where they are as their model makes them."""
    from embassay.embedders.wrap.projected import Projection, fit

    space = stored.space
    most = min(space.dimensions, len(sample)) - 1
    sizes = [size for size in (int(space.dimensions * part) for part in PARTS) if 0 < size <= most]
    if space.transform != NO_TRANSFORM or not sizes:
        return
    largest = fit([sample], space, max(sizes))
    for size in sizes:
        projection = Projection(np.ascontiguousarray(largest.matrix[:, :size]), largest.normalised)
        apply = partial(projection.apply, scaled=space.similarity == "cosine")
        yield Reduction(f"pca({size})", size, apply, {"pca": size})


def _as_they_are(vectors: Vectors) -> Vectors:
    return vectors
