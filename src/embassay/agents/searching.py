"""A search for an agent: the same as everybody's, but for what may not be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.search.base import Arm, Last, Stage
from embassay.search.modes import HYBRID
from embassay.search.parse import parse_pipeline
from embassay.search.stages.rerank import CONFIGURED

if TYPE_CHECKING:
    from embassay.agents.base import Desk
    from embassay.embedding_set import EmbeddingSet
    from embassay.search.result import SearchResult

MOST_CANDIDATES = 10_000
"""That one arm may hand on, or one stage look at."""
MOST_RANKED = 1_000
"""Hits that a whole search may come to."""


def searched(
    desk: Desk,
    of_set: EmbeddingSet,
    query: str,
    k: int,
    *,
    mode: str = HYBRID,
    where: str | None = None,
    pipeline: str | None = None,
    rerank: str | None = None,
    context: int = 0,
) -> SearchResult:
    """What `EmbeddingSet.search` finds. Raises as that does, and for sets and rerankers that may not be asked."""
    chosen = None if pipeline is None else parse_pipeline(pipeline)
    for stage in (*chosen.arms, *chosen.stages) if chosen else ():
        _check(desk, stage)
    if rerank is not None:
        desk.host.check_reranker(_named(rerank))
    return of_set.search(
        query, k, mode=mode, where=where or None, pipeline=chosen, rerank=rerank or None, context=context
    )


def _check(desk: Desk, stage: Stage) -> None:
    """Raises for a stage that looks at too much, in another set that may not be seen, or asks another's reranker."""
    deep = stage.hits if isinstance(stage, Last) else getattr(stage, "depth", 0)
    most = MOST_RANKED if isinstance(stage, Last) else MOST_CANDIDATES
    if deep > most:
        raise UsageError(f"{stage} looks at more than {most:,} passages.")
    if isinstance(stage, Arm) and stage.elsewhere:
        desk.check_set(stage.elsewhere)
    for name in stage.rerankers:
        desk.host.check_reranker(_named(name))


def _named(reranker: str) -> str:
    return "" if reranker == CONFIGURED else reranker
