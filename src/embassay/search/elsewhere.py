"""Looks for a query in another set, and names what is found there by the rows of the set that is searched.

A chunk has the same key in every set that was cut alike, because a key comes of the document's id and the text. Both
sides of every product are of the other space.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.stores.filters.meaning import predicate
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context
    from embassay.types import Vectors

ALIKE = "Index both from the same documents, and in chunks of as many tokens."


def nearest_elsewhere(context: Context, name: str, depth: int, label: str) -> list[Scored]:
    """The `depth` rows of set `name` that are nearest to the query there, as the searched set names them.

    What the searched set does not have is left out, and a notice says how much; so is what does not pass its filter.
    Raises ModelError, ProviderError, StoreError, SetNotFound; UsageError where a measurement finds nothing in common.
    """
    other = context.other(name)
    vector = context.embed(context.query, "query", other)  # before the snapshot, so that the store can open meanwhile
    found = other.snapshot.dense(vector, depth, context.where, label=label)
    keys = [chunk.key for chunk in other.snapshot.fetch([one.ref for one in found])]
    here = context.snapshot.refs(keys)
    left = sum(key not in here for key in keys)
    if left and left == len(keys) and not context.without_model:
        raise UsageError(f"nothing that was found in set {name!r} is in the set that is searched.", remedy=ALIKE)
    if left:
        _tell(
            context,
            f"{left:,} of {len(keys):,} chunks found in set {name!r} have no counterpart in the set that is searched, "
            f"and are left out. {ALIKE}",
        )
    return _passing(
        context, [Scored(here[key], one.score) for key, one in zip(keys, found, strict=True) if key in here]
    )


def scores_elsewhere(context: Context, name: str, refs: Sequence[Hashable], label: str) -> Vectors:
    """float32 (len(refs),): the products in set `name` with what has the keys of these rows; nan where nothing has.

    Raises ModelError, ProviderError, StoreError, SetNotFound.
    """
    import numpy as np

    other = context.other(name)
    vector, chunks = context.embed(context.query, "query", other), context.chunks(refs)
    there = other.snapshot.refs([chunks[ref].key for ref in refs])
    known = [at for at, ref in enumerate(refs) if chunks[ref].key in there]
    scores = np.full(len(refs), np.nan, np.float32)
    scores[known] = other.snapshot.dense_scores(vector, [there[chunks[refs[at]].key] for at in known], label=label)
    return scores


def _passing(context: Context, found: Sequence[Scored]) -> list[Scored]:
    """Those that pass the filter as they are in the searched set: the other one may have other metadata."""
    if context.where is None:
        return list(found)
    passes, chunks = predicate(context.where), context.chunks([one.ref for one in found])
    return [one for one in found if passes(chunks[one.ref])]


def _tell(context: Context, notice: str) -> None:
    """Once, although an arm may look several times."""
    if notice not in context.trace.notices:
        context.trace.notices.append(notice)
