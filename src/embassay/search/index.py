"""A set bound to its embedder and its store: what a query runs against."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import CacheError, ModelError, PluginError, ProviderError, QueryError
from embassay.search.stages import Pipeline
from embassay.space import Space, check_space
from embassay.stores.base import Scored, Snapshot, Store
from embassay.stores.filters import Filter
from embassay.types import ArmScore, Hit
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

MAX_QUERY = 100_000
"""Characters. A longer one is a document, not a query."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits of one query, best first, and what made them."""

    query: str
    set: str
    space: Space
    pipeline: Pipeline
    took_ms: float
    hits: Sequence[Hit]
    notices: Sequence[str] = ()
    """What the caller should know: a query cut at the token limit, an arm that could not run."""

    @property
    def mode(self) -> str:
        return self.pipeline.mode

    def to_dict(self) -> dict[str, Any]:
        return {
            "query": self.query,
            "set": self.set,
            "space": str(self.space),
            "mode": self.mode,
            "took_ms": self.took_ms,
            "hits": [hit.to_dict() for hit in self.hits],
            "notices": list(self.notices),
        }


class Index:
    """Searches one set. Threads may share it; writes of other processes are seen by the next search."""

    def __init__(self, name: str, space: Space, store: Callable[[], Store], embedder: Callable[[], Embedder]) -> None:
        self.name, self.space = name, space
        self._pool = ThreadPoolExecutor(1, "open")
        self._store: Future[Store] = self._pool.submit(store)  # while the model loads
        self._open_embedder = embedder
        self._embedder: Embedder | None = None

    def search(self, query: str, pipeline: Pipeline, where: Filter | None = None) -> SearchResult:
        """Run `pipeline`; where the model cannot be asked, a hybrid search goes on by words alone and says so.

        Raises QueryError, SpaceMismatch, StoreError; ModelError and ProviderError where there are no words to go by.
        """
        started = time.perf_counter()
        check_query(query)
        notices: list[str] = []
        vector = None
        if any(arm.name == "dense" for arm in pipeline.arms):
            try:
                vector = self._embed(query, notices)
            except (ModelError, ProviderError, PluginError, CacheError) as error:
                if len(pipeline.arms) == 1:
                    raise
                pipeline = pipeline.without("dense")
                notices.append(f"Searched by words only: {error}")
        snapshot = self._store.result().snapshot()
        lists = self._lists(snapshot, query, vector, pipeline, where)
        hits = self._hits(snapshot, lists, pipeline)
        took = round((time.perf_counter() - started) * 1000, 2)
        return SearchResult(query, self.name, self.space, pipeline, took, hits, notices)

    def uncached(self) -> Index:
        """The same, whose model embeds every query anew: what a search takes that nobody asked before."""
        return Index(self.name, self.space, self._store.result, lambda: uncached(self._open_embedder()))

    def close(self) -> None:
        self._pool.shutdown()

    def _embed(self, query: str, notices: list[str]) -> Vectors:
        if self._embedder is None:
            embedder = self._open_embedder()
            check_space(embedder.space, self.space, self.name)
            self._embedder = embedder
        embedded = self._embedder.embed([query], "query")
        check_space(embedded.space, self.space, self.name)
        if embedded.truncated[0]:
            limit = self._embedder.tokens.max_tokens
            notices.append(f"The query has {embedded.tokens[0]:,} tokens; the model read the first {limit:,}.")
        vector: Vectors = comparable(embedded.vectors, self.space)[0]
        return vector

    def _lists(
        self, snapshot: Snapshot, query: str, vector: Vectors | None, pipeline: Pipeline, where: Filter | None
    ) -> dict[str, list[Scored]]:
        """Candidates of each arm, one after the other: side by side they took half as long again on two cores."""
        lists = {}
        for arm in pipeline.arms:
            if arm.name == "lexical":
                lists[arm.name] = snapshot.lexical(query, arm.depth, where)
            elif vector is not None:
                lists[arm.name] = snapshot.dense(vector, arm.depth, where)
        return lists

    def _hits(self, snapshot: Snapshot, lists: dict[str, list[Scored]], pipeline: Pipeline) -> list[Hit]:
        scores = rank(lists, pipeline)
        arms: dict[Hashable, dict[str, ArmScore]] = {}
        for name, candidates in lists.items():
            for place, candidate in enumerate(candidates, 1):
                arms.setdefault(candidate.ref, {})[name] = ArmScore(place, candidate.score)
        chunks = snapshot.fetch([ref for ref, _ in scores])
        return [
            Hit(place, score, chunk, arms[ref])
            for place, ((ref, score), chunk) in enumerate(zip(scores, chunks, strict=True), 1)
        ]


def rank(lists: dict[str, list[Scored]], pipeline: Pipeline) -> list[tuple[Hashable, float]]:
    """(ref, score) of the top k, best first: the one place where rankings are made."""
    if len(lists) == 1:
        (only,) = lists.values()
        return [(c.ref, c.score) for c in only[: pipeline.top.k]]
    fused = pipeline.fusion.fuse(lists)
    return sorted(fused.items(), key=lambda item: -item[1])[: pipeline.top.k]


def check_query(query: str) -> None:
    """Raises QueryError for a query without text or beyond all measure."""
    if not query.replace("\0", "").strip():
        raise QueryError("the query is empty.")
    if len(query) > MAX_QUERY:
        raise QueryError(
            f"the query has {len(query):,} characters, at most {MAX_QUERY:,} are searched.",
            remedy="Ask with the passage that matters.",
        )
