"""One search of one set, or of several that share a space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from embassay.sets.joining import fusion_of
from embassay.sets.joint import joint_index
from embassay.sets.moves import on_live

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.search.pipeline import Pipeline
    from embassay.search.result import SearchResult
    from embassay.sets.opened import OpenSets
    from embassay.stores.filters.values import Filter


def as_pipeline(sets: OpenSets, names: Sequence[str], pipeline: str | Pipeline | None, mode: str, k: int) -> Pipeline:
    """A pipeline, also as it is written; without one that of a mode with `k` hits, and with the fusion of a set that is
    searched alone and has one of its own. Raises UsageError, SetNotFound."""
    from embassay.search.modes import HYBRID
    from embassay.search.modes import pipeline as of_mode
    from embassay.search.parse import parse_pipeline

    if isinstance(pipeline, str):
        return parse_pipeline(pipeline)
    fusion = fusion_of(sets, names[0]) if pipeline is None and mode == HYBRID and len(names) == 1 else None
    return pipeline or of_mode(mode, k, fusion=fusion)


def search(
    sets: OpenSets,
    names: Sequence[str],
    query: str,
    chosen: Pipeline,
    where: Filter | None,
    *,
    context: int,
    query_model: str | None = None,
) -> SearchResult:
    """What the `chosen` pipeline finds for `query` in the sets of these `names`; see `EmbeddingSet.search`."""

    def once() -> SearchResult:
        with sets.index(names[0]) if len(names) == 1 else joint_index(sets, names) as index:
            asked_by = None if query_model is None else _another(sets, names[0], query_model)
            return index.search(query, chosen, where, context=context, asked_by=asked_by)

    return on_live(once)


def _another(sets: OpenSets, name: str, model: str) -> Callable[[], Embedder]:
    """Opens another model for the queries to a set. Raises SpaceMismatch where it is not known to share its space."""
    from embassay.sets.pairs import query_embedder

    return query_embedder(sets, sets.content(name).generation, model)
