"""A target held against the set that is to be moved there: what the new generation is made with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.canaries import Anchor
from embassay.errors import UsageError
from embassay.sets.build.deriving import derivation
from embassay.sets.door import anchor_of
from embassay.space import NO_TRANSFORM
from embassay.stores.values import VECTOR
from embassay.types import ROLES

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.embedders.wrap.projected import Projection
    from embassay.sets.migration.target import MigrationTarget
    from embassay.sets.opened import OpenSets
    from embassay.sets.spec import SetSpec
    from embassay.sets.state import Generation
    from embassay.space import Space
    from embassay.stores.base import Store
    from embassay.types import Vectors

MOST_FITTED = 131_072
"""Rows that a PCA is fitted to at most, taken from all over the set."""


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """What a new generation is made with."""

    space: Space
    spec: SetSpec
    anchor: Anchor | None
    """Where its model puts the canaries; None for one that is taken at its word."""
    projection: Projection | None


def resolved(sets: OpenSets, origin: Generation, target: MigrationTarget) -> NewGeneration:
    """What a generation is made with that is built beside `origin`. Nothing is embedded for it but canaries.

    Raises UsageError where `origin` is like that already, or has no vectors that the target can be derived from,
    SpaceMismatch, ModelError, ProviderError.
    """
    if target.pca or not target.model:
        sets.embedder(origin).space  # noqa: B018 - the model of the set is proven, or refused
        origin = sets.live(origin.set_name)
    model, precision = target.model_for(origin.spec), target.precision or origin.spec.precision
    embedder = sets.model(model, precision)
    projection = _projection(sets, origin, target, embedder.space)
    space = embedder.space if projection is None else projection.space_of(embedder.space)
    spec = replace(
        origin.spec,
        model=model,
        precision=precision,
        chunk_tokens=min(origin.spec.chunk_tokens, embedder.tokens.safe_tokens),
        pca=0 if projection is None else space.dimensions,
        dtype=target.dtype or origin.spec.dtype,
    )
    refuse_same(origin, space, spec.dtype, model)
    if not target.model and derivation(origin.space, space, projection) is None:
        raise UsageError(
            f"vectors of {space} cannot be made of those of {origin.space}.",
            remedy=remedy.option("to", model, say="Name the model, to have the texts embedded anew"),
        )
    return NewGeneration(space, spec, _anchor(sets, origin, embedder, space, projection), projection)


def refuse_same(origin: Generation, space: Space, dtype: str, model: str) -> None:
    """Raises UsageError where `origin` is in that space already, and is kept in that type."""
    if space == origin.space and dtype == origin.spec.dtype:
        raise UsageError(
            f"set {origin.set_name!r} is in the space {space} already.",
            remedy=remedy.command("relink", origin.set_name, to=model, say="Have another provider of it with"),
        )


def _anchor(
    sets: OpenSets, origin: Generation, embedder: Embedder, space: Space, projection: Projection | None
) -> Anchor | None:
    """Where the model puts the canaries: as far as that is known of `origin`, a provider is not asked again."""
    if embedder.is_trusted:
        return None
    known = sets.state.proofs.anchor(origin.id)
    if space == origin.space and known:
        return known
    if projection is None:
        return anchor_of(embedder)
    whole = known or anchor_of(embedder)
    made = {role: projection.apply(whole.made[role], scaled=space.normalised) for role in ROLES}
    return Anchor(whole.own, made)


def _projection(sets: OpenSets, origin: Generation, target: MigrationTarget, whole: Space) -> Projection | None:
    """A PCA that is fitted to the vectors of `origin`, or its own where only something else is to be changed.

    Raises UsageError for a PCA of vectors that are not those of the model as it makes them.
    """
    if not target.pca:
        keeps = not target.model and target.truncate_dim is None
        return sets.state.projections.of(origin.id) if keeps else None
    from embassay.embedders.wrap.projected import fit

    if whole != origin.space or whole.transform != NO_TRANSFORM:
        raise UsageError(
            f"a PCA is fitted to the vectors of a set as its model makes them; those of {origin.set_name!r} are "
            f"{origin.space}, and asked for is one of {whole}.",
            remedy="Move the set to the model itself first.",
        )
    with closing(sets.folder.store(origin)) as store:
        return fit(spread(store), origin.space, target.pca)


def spread(store: Store) -> Iterator[Vectors]:
    """Vectors of all rows, or of every so manieth where there are more than `MOST_FITTED`."""
    with store.snapshot() as version:
        step = 1 + version.count() // MOST_FITTED
        for _, by_label in version.scan():
            yield by_label[VECTOR][::step]
