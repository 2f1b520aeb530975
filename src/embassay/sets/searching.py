"""One search of one set, or of several that share a space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.sets.joint import joint_index
from embassay.sets.moves import on_live

if TYPE_CHECKING:
    from embassay.search.pipeline import Pipeline
    from embassay.search.result import SearchResult
    from embassay.sets.opened import OpenSets
    from embassay.stores.filters.values import Filter


def as_pipeline(pipeline: str | Pipeline | None, mode: str, k: int) -> Pipeline:
    """A pipeline, also as it is written; without one that of a mode with `k` hits. Raises UsageError."""
    from embassay.search.modes import pipeline as of_mode
    from embassay.search.parse import parse_pipeline

    return parse_pipeline(pipeline) if isinstance(pipeline, str) else pipeline or of_mode(mode, k)


def search(
    sets: OpenSets, names: Sequence[str], query: str, pipeline: Pipeline, where: Filter | None, *, context: int
) -> SearchResult:
    """What `pipeline` finds for `query` in the sets of these `names`; see `EmbeddingSet.search`."""

    def once() -> SearchResult:
        with sets.index(names[0]) if len(names) == 1 else joint_index(sets, names) as index:
            return index.search(query, pipeline, where, context=context)

    return on_live(once)
