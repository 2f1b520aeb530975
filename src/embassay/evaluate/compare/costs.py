"""What a candidate takes: time, memory and money, measured past every cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.embedders.wrap.wrapper import uncached
from embassay.evaluate.compare.alterations import clean
from embassay.evaluate.compare.statistics import Spread
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.reranking import RerankShare
from embassay.evaluate.speed.timing import HOSTED_QUERIES, QUERIES, Throughput, query_ms, spaced, throughput

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.space import Space

SAMPLE = 256
"""Documents, at most, that throughput is measured on."""
BYTES = 4
"""Of a float32."""
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What a candidate takes. None: not known, or not measured."""

    latency_ms: Spread
    """p50, p95, p99 and n of one query: embedding it past every cache, and searching."""
    bytes_per_million: float
    """Float32 vectors of a million chunks."""
    usd_per_million_tokens: float | None
    texts_per_second: float | None = None
    tokens_per_second: float | None = None
    truncated: float | None = 0.0
    """Share of the documents that the model saw only the head of."""
    reranking: RerankShare | None = None
    """Which rerankers were asked for which share of the queries, and for how much money."""


@dataclass(frozen=True, slots=True)
class ModelTimes:
    """How fast a model is alone, without a search."""

    query_ms: Mapping[str, float]
    """Query id to milliseconds to embed it."""
    throughput: Throughput | None
    """None for a hosted model: it would be paid for."""


def model_times(embedder: Embedder, judged: JudgedSet) -> ModelTimes:
    """Times of single queries and of batches of documents, on a sample of `judged`.

    Raises ModelError, ProviderError.
    """
    bare = uncached(embedder)
    asked = timed_queries(embedder, list(judged.queries))
    times = query_ms(bare, [judged.queries[query] for query in asked])
    texts = [f"{d.title} {d.text}".strip() for d in spaced(judged.documents, SAMPLE)]
    rate = None if embedder.remote else throughput(bare, texts)
    return ModelTimes(dict(zip(asked, times, strict=True)), rate)


def timed_queries(embedder: Embedder, queries: list[str]) -> list[str]:
    """Those of `queries` that are timed, as they were written: fewer where each one is paid for."""
    return spaced(clean(queries), HOSTED_QUERIES if embedder.remote else QUERIES)


def bytes_per_million(space: Space) -> int:
    """Bytes of a million vectors of `space`."""
    return space.dimensions * BYTES * MILLION
