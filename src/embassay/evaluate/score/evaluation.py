"""What a pipeline scores on judged data."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.arms import BetterArm, better_arm
from embassay.evaluate.score.filling import fill
from embassay.evaluate.score.metrics import DEFAULT_METRICS, deepest, intervals, mean, per_query
from embassay.evaluate.score.ranking import DEPTH, rank_documents
from embassay.evaluate.score.reranking import RerankShare
from embassay.search.pipeline import Pipeline
from embassay.stores.base import Store

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.reranking.timed import TimedReranker


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one pipeline on one judged set."""

    judged: str
    digest: str
    """Of the judged set."""
    space: str
    precision: str
    pipeline: Pipeline
    metrics: Mapping[str, float]
    """Means over the queries."""
    per_query: Mapping[str, Mapping[str, float]]
    """Query id to its value of each metric."""
    embed_seconds: float
    search_seconds: float
    space_digest: str = ""
    """Of the space: two that are printed alike may differ, their digests do not."""
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of the means, 95 %: bootstrap over the queries."""
    reranking: RerankShare | None = None
    """What rerankers did; None where the pipeline has none."""
    better_arm: BetterArm | None = None
    """The arm that alone would have scored more, where there is one."""

    def to_dict(self, *, per_query: bool = False) -> dict[str, object]:
        """The evaluation as JSON has it; `per_query` adds the values of every query."""
        plain: dict[str, object] = {
            "judged": self.judged,
            "digest": self.digest,
            "space": self.space,
            "space_digest": self.space_digest,
            "precision": self.precision,
            "mode": self.pipeline.mode,
            "pipeline": str(self.pipeline),
            "queries": len(self.per_query),
            "metrics": dict(self.metrics),
            "intervals": {name: [*bounds] for name, bounds in self.intervals.items()},
            "seconds": {"embed": round(self.embed_seconds, 3), "search": round(self.search_seconds, 3)},
        }
        if self.reranking:
            plain["reranking"] = self.reranking.to_dict()
        if self.better_arm:
            plain["better_arm"] = self.better_arm.to_dict()
        return plain | ({"per_query": {q: dict(m) for q, m in self.per_query.items()}} if per_query else {})


def evaluate(
    judged: JudgedSet,
    embedder: Embedder,
    store: Store,
    pipeline: Pipeline,
    *,
    metrics: tuple[str, ...] = DEFAULT_METRICS,
    chunks: bool = False,
    drop_same_id: bool = False,
    reranker: Callable[[str], TimedReranker] | None = None,
    card: ModelCard | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Fill `store`, which is empty, with the documents and score what `pipeline` ranks.

    Documents are embedded whole, as published numbers are made; with `chunks` as they would be indexed, a document
    ranked by its best chunk. `drop_same_id` leaves out the hit whose id is the query's (the rule of ArguAna, whose
    queries are documents). `reranker` and `card` are those of `rank_documents`.
    `advance` is told of texts embedded. Raises ModelError, ProviderError, StoreError.
    """
    depth = max(DEPTH, deepest(metrics))
    filled = fill(judged, embedder, store, vectors=pipeline.needs_model, chunks=chunks, advance=advance)
    started = time.perf_counter()
    run = rank_documents(filled, pipeline, depth=depth, drop_same_id=drop_same_id, reranker=reranker, card=card)
    seconds = time.perf_counter() - started
    scores = per_query(judged.qrels, run.scored(), metrics)
    space, means = embedder.space, mean(scores)
    shares = RerankShare.of(run.reranked, len(judged.queries))
    made = judged.name, judged.digest, str(space), embedder.precision, pipeline
    arm = better_arm(judged.qrels, run.arms, scores, metrics[0], list(scores))
    return Evaluation(*made, means, scores, filled.seconds, seconds, space.digest, intervals(scores), shares, arm)
