"""One model and one pipeline, scored on a judged set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mensura.errors import RequestRefused
from mensura.evaluate.judged import JudgedSet
from mensura.evaluate.metrics import DEFAULT_METRICS, mean, parse_metrics, per_query
from mensura.ingest.chunk import Chunker
from mensura.search.index import rank, unit
from mensura.search.stages import Arm, Pipeline, Top
from mensura.stores.base import Snapshot, Store
from mensura.types import Chunk, Document

if TYPE_CHECKING:
    from mensura.embedders.base import Embedder
    from mensura.types import Vectors

DEPTH = 100
"""Documents ranked for each query: what R@100 and AP@100 need."""
CHUNK_DEPTH = 5
"""Chunks are searched this many times deeper, so that enough distinct documents are among them."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one pipeline on one judged set."""

    judged: str
    space: str
    pipeline: Pipeline
    metrics: Mapping[str, float]
    per_query: Mapping[str, Mapping[str, float]]
    embed_seconds: float
    search_seconds: float

    def to_dict(self, *, per_query: bool = False) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "judged": self.judged,
            "space": self.space,
            "mode": self.pipeline.mode,
            "queries": len(self.per_query),
            "metrics": dict(self.metrics),
            "seconds": {"embed": round(self.embed_seconds, 3), "search": round(self.search_seconds, 3)},
        }
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
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Fill `store` (empty) with the documents and score the rankings of `pipeline`.

    Documents are embedded whole, ``(title + " " + text).strip()`` cut at the token limit, as published
    numbers are made; with `chunks` as they would be indexed, a document ranked by its best chunk.
    `drop_same_id` leaves out the hit whose id is the query's (the rule of ArguAna, whose queries are
    documents). `advance` is told of texts embedded.
    """
    parse_metrics(metrics)
    needs_vectors = any(arm.name == "dense" for arm in pipeline.arms)
    started = time.perf_counter()
    pieces = _chunked(judged, embedder) if chunks else [_whole(document) for document in judged.documents]
    vectors = _embed(embedder, [p.indexed for p in pieces], needs_vectors, "document", advance)
    store.upsert(pieces, vectors)
    store.optimise(thorough=True)
    queries = _embed(embedder, list(judged.queries.values()), needs_vectors, "query", advance)
    embedded = time.perf_counter()
    depth = (DEPTH + drop_same_id) * (CHUNK_DEPTH if chunks else 1)
    deep = replace(pipeline, arms=tuple(Arm(arm.name, max(arm.depth, depth)) for arm in pipeline.arms), top=Top(depth))
    snapshot = store.snapshot()
    run = {
        query: _documents(snapshot, deep, text, queries[at], query if drop_same_id else None)
        for at, (query, text) in enumerate(judged.queries.items())
    }
    finished = time.perf_counter()
    scores = per_query(judged.qrels, run, metrics)
    return Evaluation(
        judged.name, str(embedder.space), pipeline, mean(scores), scores, embedded - started, finished - embedded
    )


def _documents(
    snapshot: Snapshot, pipeline: Pipeline, text: str, vector: Vectors, dropped: str | None
) -> dict[str, float]:
    """Document to score, best chunk first, at most DEPTH of them."""
    lists = {
        arm.name: snapshot.dense(vector, arm.depth) if arm.name == "dense" else snapshot.lexical(text, arm.depth)
        for arm in pipeline.arms
    }
    scored = rank(lists, pipeline)
    best: dict[str, float] = {}
    for (_, score), chunk in zip(scored, snapshot.fetch([ref for ref, _ in scored]), strict=True):
        if chunk.document != dropped and len(best) < DEPTH:
            best.setdefault(chunk.document, score)
    return best


def _whole(document: Document) -> Chunk:
    text = f"{document.title} {document.text}".strip()
    return Chunk(document.id, document.id, document.path, document.title, text, 0, (1, 1), (0, len(text)), 0)


def _chunked(judged: JudgedSet, embedder: Embedder) -> list[Chunk]:
    chunker = Chunker(embedder.tokens, prompt=embedder.space.document_prompt)
    return [chunk for chunks in chunker.chunk(judged.documents) for chunk in chunks]


def _embed(embedder: Embedder, texts: list[str], needed: bool, role: Any, advance: Callable[[int], None]) -> Vectors:
    import numpy as np

    if not needed:
        return np.zeros((len(texts), embedder.space.dimensions), np.float32)
    blocks = [np.empty((0, embedder.space.dimensions), np.float32)]
    for block in embedder.stream(texts, role):
        for reason in block.refused.values():
            raise RequestRefused(f"a text was refused: {reason}")
        blocks.append(block.vectors)
        advance(len(block))
    return unit(np.concatenate(blocks), embedder.space)
