"""Judged documents in a store, the rankings that a pipeline makes of them, and what those score."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mensura.errors import RequestRefused
from mensura.evaluate.judged import JudgedSet
from mensura.evaluate.metrics import DEFAULT_METRICS, deepest, mean, per_query
from mensura.ingest.chunk import Chunker
from mensura.search.index import rank, unit
from mensura.search.stages import Arm, Pipeline, Top
from mensura.stores.base import Snapshot, Store
from mensura.types import NO_USAGE, Chunk, Document, Usage

if TYPE_CHECKING:
    from mensura.embedders.base import Embedder
    from mensura.space import Space
    from mensura.types import Role, Vectors

DEPTH = 100
"""Documents ranked for each query, at least: what R@100 and AP@100 need."""
CHUNK_DEPTH = 5
"""Chunks are searched this many times deeper, so that enough distinct documents are among them."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was ranked for each query."""

    rankings: Mapping[str, Sequence[str]]
    """Query id to document ids, best first."""
    search_ms: Mapping[str, float] = field(default_factory=dict)
    """Query id to milliseconds of its search."""

    def scored(self) -> dict[str, dict[str, float]]:
        """For trec_eval, which orders by score: exactly the order that was returned, ties included."""
        return {q: {d: -float(place) for place, d in enumerate(ids)} for q, ids in self.rankings.items()}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one pipeline on one judged set."""

    judged: str
    digest: str
    """Of the judged set."""
    space: str
    pipeline: Pipeline
    metrics: Mapping[str, float]
    per_query: Mapping[str, Mapping[str, float]]
    embed_seconds: float
    search_seconds: float

    def to_dict(self, *, per_query: bool = False) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "judged": self.judged,
            "digest": self.digest,
            "space": self.space,
            "mode": self.pipeline.mode,
            "queries": len(self.per_query),
            "metrics": dict(self.metrics),
            "seconds": {"embed": round(self.embed_seconds, 3), "search": round(self.search_seconds, 3)},
        }
        return plain | ({"per_query": {q: dict(m) for q, m in self.per_query.items()}} if per_query else {})


@dataclass(frozen=True, slots=True)
class Filled:
    """The documents of a judged set in a store, ready for any number of pipelines."""

    judged: JudgedSet
    space: Space
    snapshot: Snapshot
    queries: Vectors
    """float32 (queries, dimensions), in the order of `judged.queries`; zero where no pipeline needs them."""
    chunks: bool
    truncated: float
    """Share of what was embedded that the model saw only the head of."""
    usage: Usage
    seconds: float

    def run(self, pipeline: Pipeline, *, depth: int = DEPTH, drop_same_id: bool = False) -> Run:
        """Rank `depth` documents for every query, whatever `pipeline` would return of them."""
        searched = (depth + drop_same_id) * (CHUNK_DEPTH if self.chunks else 1)
        arms = tuple(Arm(arm.name, max(arm.depth, searched)) for arm in pipeline.arms)
        deep = replace(pipeline, arms=arms, top=Top(searched))
        rankings, milliseconds = {}, {}
        for at, (query, text) in enumerate(self.judged.queries.items()):
            started = time.perf_counter()
            found = _documents(self.snapshot, deep, text, self.queries[at])
            milliseconds[query] = (time.perf_counter() - started) * 1e3
            rankings[query] = [name for name in found if not (drop_same_id and name == query)][:depth]
        return Run(rankings, milliseconds)


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
    depth = max(DEPTH, deepest(metrics))
    needed = any(arm.name == "dense" for arm in pipeline.arms)
    filled = fill(judged, embedder, store, vectors=needed, chunks=chunks, advance=advance)
    started = time.perf_counter()
    run = filled.run(pipeline, depth=depth, drop_same_id=drop_same_id)
    seconds = time.perf_counter() - started
    scores = per_query(judged.qrels, run.scored(), metrics)
    space = str(embedder.space)
    return Evaluation(judged.name, judged.digest, space, pipeline, mean(scores), scores, filled.seconds, seconds)


def fill(
    judged: JudgedSet,
    embedder: Embedder,
    store: Store,
    *,
    vectors: bool = True,
    chunks: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Filled:
    """Embed documents and queries, and put the documents into `store` (empty). Raises ModelError, ProviderError."""
    started = time.perf_counter()
    pieces = _chunked(judged, embedder) if chunks else [_whole(document) for document in judged.documents]
    texts = [piece.indexed for piece in pieces]
    queries = list(judged.queries.values())
    if vectors:
        made, truncated, usage = _embed(embedder, texts, "document", advance)
        asked, _, used = _embed(embedder, queries, "query", advance)
    else:
        made, asked = (_zeros(len(rows), embedder) for rows in (texts, queries))
        truncated, usage, used = 0.0, NO_USAGE, NO_USAGE
    store.upsert(pieces, made)
    store.optimise(thorough=True)
    seconds = time.perf_counter() - started
    return Filled(judged, embedder.space, store.snapshot(), asked, chunks, truncated, usage + used, seconds)


def _documents(snapshot: Snapshot, pipeline: Pipeline, text: str, vector: Vectors) -> list[str]:
    """Documents in the order of their best chunks."""
    lists = {
        arm.name: snapshot.dense(vector, arm.depth) if arm.name == "dense" else snapshot.lexical(text, arm.depth)
        for arm in pipeline.arms
    }
    chunks = snapshot.fetch([ref for ref, _ in rank(lists, pipeline)])
    return list(dict.fromkeys(chunk.document for chunk in chunks))


def _whole(document: Document) -> Chunk:
    text = f"{document.title} {document.text}".strip()
    return Chunk(document.id, document.id, document.path, document.title, text, 0, (1, 1), (0, len(text)), 0)


def _chunked(judged: JudgedSet, embedder: Embedder) -> list[Chunk]:
    chunker = Chunker(embedder.tokens, prompt=embedder.space.document_prompt)
    return [chunk for chunks in chunker.chunk(judged.documents) for chunk in chunks]


def _zeros(rows: int, embedder: Embedder) -> Vectors:
    import numpy as np

    return np.zeros((rows, embedder.space.dimensions), np.float32)


def _embed(
    embedder: Embedder, texts: list[str], role: Role, advance: Callable[[int], None]
) -> tuple[Vectors, float, Usage]:
    """Vectors, the share of texts that were cut, and what it took."""
    import numpy as np

    blocks, truncated, usage = [_zeros(0, embedder)], 0, NO_USAGE
    for block in embedder.stream(texts, role):
        for reason in block.refused.values():
            raise RequestRefused(f"a text was refused: {reason}")
        blocks.append(block.vectors)
        truncated += sum(block.truncated)
        usage += block.usage
        advance(len(block))
    return unit(np.concatenate(blocks), embedder.space), truncated / max(1, len(texts)), usage
