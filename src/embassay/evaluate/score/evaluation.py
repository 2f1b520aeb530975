"""Judged documents in a store, the rankings that a pipeline makes of them, and what those score."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from embassay.errors import RequestRefused
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.metrics import DEFAULT_METRICS, deepest, mean, per_query
from embassay.ingest.chunk import Chunker
from embassay.search.index import rank
from embassay.search.stages import Arm, Pipeline, Top
from embassay.stores.base import Snapshot, Store
from embassay.types import NO_USAGE, Chunk, Document, Usage
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.space import Space
    from embassay.types import Role, Vectors

DEPTH = 100
"""Documents ranked for each query, at least: what R@100 and AP@100 need."""
DEEPER = 5
"""Times as many chunks are looked for, where those found belong to too few documents."""


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
    precision: str
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
            "precision": self.precision,
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
    truncated: float
    """Share of what was embedded that the model saw only the head of."""
    usage: Usage
    seconds: float

    def run(self, pipeline: Pipeline, *, depth: int = DEPTH, drop_same_id: bool = False) -> Run:
        """Rank `depth` documents for every query: those of `pipeline` as it is, then what it finds looking deeper.

        How deep its arms look decides what a fusion makes of them: the first hits have to be those of a search.
        """
        wanted, rows = depth + drop_same_id, self.snapshot.count()
        served = at_depth(pipeline, wanted)
        rankings, milliseconds = {}, {}
        for at, (query, text) in enumerate(self.judged.queries.items()):
            if not at:
                _documents(self.snapshot, served, text, self.queries[at])  # indexes that are made when first needed
            started = time.perf_counter()
            found = _documents(self.snapshot, served, text, self.queries[at])
            milliseconds[query] = (time.perf_counter() - started) * 1e3
            deeper = max(wanted, *(arm.depth for arm in served.arms))
            while len(found) < wanted and deeper < rows:
                deeper *= DEEPER
                further = _documents(self.snapshot, _deep(pipeline, deeper), text, self.queries[at])
                found = list(dict.fromkeys([*found, *further]))
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
    precision, means = embedder.precision, mean(scores)
    return Evaluation(judged.name, judged.digest, space, precision, pipeline, means, scores, filled.seconds, seconds)


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
    pieces = [piece for piece in pieces if piece.indexed.strip()]  # a zero vector would stand before unlike ones
    texts = [piece.indexed for piece in pieces]
    queries = list(judged.queries.values())
    if vectors:
        made, truncated, usage = embed_all(embedder, texts, "document", advance)
        asked, _, used = embed_all(embedder, queries, "query", advance)
    else:
        made, asked = (_zeros(len(rows), embedder) for rows in (texts, queries))
        truncated, usage, used = 0.0, NO_USAGE, NO_USAGE
    store.upsert(pieces, made)
    store.optimise(thorough=True)
    seconds = time.perf_counter() - started
    return Filled(judged, embedder.space, store.snapshot(), asked, truncated, usage + used, seconds)


def at_depth(pipeline: Pipeline, depth: int) -> Pipeline:
    """`pipeline` with `depth` hits: of several arms all that they find; one alone looks as deep as that."""
    if len(pipeline.arms) == 1:
        return _deep(pipeline, max(depth, pipeline.arms[0].depth))
    return replace(pipeline, top=Top(max(depth, sum(arm.depth for arm in pipeline.arms))))


def _deep(pipeline: Pipeline, depth: int) -> Pipeline:
    arms = tuple(Arm(arm.name, depth) for arm in pipeline.arms)
    return replace(pipeline, arms=arms, top=Top(depth * len(arms)))


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


def embed_all(
    embedder: Embedder, texts: Sequence[str], role: Role, advance: Callable[[int], None]
) -> tuple[Vectors, float, Usage]:
    """Rows of length 1, float32 (len(texts), dimensions), the share of texts that were cut, and what it took.

    Raises ModelError, ProviderError, and RequestRefused for a text that the provider will not take.
    """
    import numpy as np

    blocks, truncated, usage = [_zeros(0, embedder)], 0, NO_USAGE
    for block in embedder.stream(texts, role):
        for reason in block.refused.values():
            raise RequestRefused(f"a text was refused: {reason}")
        blocks.append(block.vectors)
        truncated += sum(block.truncated)
        usage += block.usage
        advance(len(block))
    return comparable(np.concatenate(blocks), embedder.space), truncated / max(1, len(texts)), usage
