"""A query model beside the model of a set: documents by one, queries by another whose vectors lie in the same space.

The catalog says which models share a space, by the word of their makers. That is checked before the first vector is
compared: each canary text, as a query by the one model, has to be nearest to itself as a document by the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from embassay import remedy
from embassay.errors import EmbassayError, SpaceMismatch
from embassay.models.reference import cut_to, parse_reference
from embassay.space import describe_difference

if TYPE_CHECKING:
    from embassay.canaries import Anchor
    from embassay.embedders.base import Embedder
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.space import Space

_PROVEN: WeakKeyDictionary[Embedder, set[str]] = WeakKeyDictionary()
"""The sets, by where their models put the canaries, with which a model was proven to share a space in this process."""


def query_embedder(sets: OpenSets, generation: Generation, name: str) -> Callable[[], Embedder]:
    """Opens the model `name` for queries to a set, once it is known to share the space of the set.

    What cards say is looked at now, and the model is opened and proven when it is called. Raises ModelNotFound,
    ConfigError, and SpaceMismatch, which names both spaces; the call raises ModelError and ProviderError as well.
    """
    own, asked = sets.models.card(generation.spec.model), sets.models.card(name)
    cut = asked is not None and generation.space.dimensions != asked.dimensions
    reference = cut_to(name, generation.space.dimensions) if cut and _can_be_cut(name) else name
    shared = (
        own is not None and asked is not None and (own.id == asked.id or own.shares_space == asked.shares_space != "")
    )
    if not shared or generation.spec.pca:
        space = _space_of(sets, reference)
        if space != generation.space:
            why = "its vectors were projected (PCA)" if shared else "no card says that the two share a space"
            raise _refused(generation, space or name, why)

    def opened() -> Embedder:
        made = sets.models.get(reference)
        if made.space != generation.space:
            _check_form(generation, made.space)
            _prove(made, sets.state.proofs.anchor(generation.id), generation)
        return made

    return opened


def _can_be_cut(name: str) -> bool:
    return "dimensions" not in parse_reference(name).options


def _space_of(sets: OpenSets, name: str) -> Space | None:
    """The space of a model; None where it cannot be told now."""
    try:
        return sets.models.get(name).space
    except EmbassayError:
        return None


def _check_form(generation: Generation, space: Space) -> None:
    """Raises SpaceMismatch where vectors have another length, or are compared in another way."""
    stored = generation.space
    for what, one, other in (
        ("dimensions", stored.dimensions, space.dimensions),
        ("comparison", stored.similarity, space.similarity),
    ):
        if one != other:
            raise _refused(generation, space, f"their {what} differ: {one} and {other}")


def _prove(model: Embedder, anchor: Anchor | None, generation: Generation) -> None:
    """Have a model find the canaries that the set keeps. Raises SpaceMismatch, and as embedding does."""
    if anchor is None or anchor.digest in _PROVEN.get(model, ()):
        return
    import numpy as np

    asked, kept = model.canaries("query"), anchor.made["document"]
    if asked.shape == kept.shape:
        products = asked @ kept.T
        own = np.diagonal(products)
        others = np.where(np.eye(len(own), dtype=bool), -np.inf, products).max(axis=1)
        if bool((own > others).all()):
            _PROVEN.setdefault(model, set()).add(anchor.digest)
            return
    raise _refused(generation, model.space, "texts that are known do not find themselves")


def _refused(generation: Generation, asked: Space | str, why: str) -> SpaceMismatch:
    stored = generation.space
    differing = "" if isinstance(asked, str) else f" ({describe_difference(stored, asked)})"
    name = generation.set_name
    return SpaceMismatch(
        f"set {name!r} holds vectors of {stored}, and queries would be made by {asked}: {why}{differing}.",
        remedy=remedy.say(
            f"Ask with {generation.spec.model}, the model of the set, or index with a model that shares its space."
        ),
    )
