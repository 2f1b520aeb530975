"""What a pipeline ranks for each judged query: the run, in the words of the field, that metrics are computed of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from embassay.evaluate.score.arms import hits_by_arm
from embassay.evaluate.score.filling import Filled
from embassay.search.coarse import check_coarse, projected_form, trained_form
from embassay.search.context import Context
from embassay.search.late import LateModel, TimedTokens
from embassay.search.phrases import nobody_to_ask
from embassay.search.pipeline import Pipeline
from embassay.search.run import run
from embassay.search.trace import Reranking
from embassay.stores.values import VECTOR
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.reranking.timed import TimedReranker
    from embassay.stores.base import Snapshot
    from embassay.stores.coarse import CoarseForm
    from embassay.types import Hit, Role, Vectors

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
    reranked: Mapping[str, Sequence[Reranking]] = field(default_factory=dict)
    """Query id to what rerankers did for it; empty where the pipeline has none."""
    arms: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """Label of an arm to what it ranked by itself, by query id."""

    def scored(self) -> dict[str, dict[str, float]]:
        """For trec_eval, which orders by score: exactly the order that was returned, ties included."""
        return {q: {d: -float(place) for place, d in enumerate(ids)} for q, ids in self.rankings.items()}


def rank_documents(
    filled: Filled,
    pipeline: Pipeline,
    *,
    depth: int = DEPTH,
    drop_same_id: bool = False,
    reranker: Callable[[str], TimedReranker] | None = None,
    chat: Callable[[str], str] = nobody_to_ask,
    card: ModelCard | None = None,
) -> Run:
    """Rank `depth` documents for every query: those that a search finds, then what it finds by looking deeper.

    How deep its arms look decides what a fusion makes of them: the first hits have to be those of a search. With
    `drop_same_id` a document whose id is the query's is left out. `reranker` opens a reranker by its name: one is asked
    for the first hits alone; `chat` answers a message. `card` is that of the model, whose Matryoshka dimensions coarse
    vectors may have; those of other models are made by a PCA of the documents. Raises ModelError, ProviderError,
    StoreError.
    """
    wanted = depth + drop_same_id
    served, found_alone = pipeline.handing_out(wanted), pipeline.without_others()
    rankings, milliseconds, reranked = {}, {}, {}
    arms: dict[str, dict[str, list[str]]] = {}
    late = TimedTokens(lambda: filled.embedder)
    language = filled.store.collection.language
    coarse = cache(lambda dimensions: _coarse(filled, card, dimensions))
    with filled.store.snapshot() as version:
        rows = version.count()
        for at, (query, text) in enumerate(filled.judged.queries.items()):
            asked = _Query(text, filled.queries[at], filled.embedder, language, late, coarse, reranker, chat)
            if not at:
                asked.hits(found_alone.handing_out(wanted), version)  # makes what is made when first needed
            started = time.perf_counter()
            hits = asked.hits(served, version)
            milliseconds[query] = (time.perf_counter() - started) * 1e3
            if asked.reranked:
                reranked[query] = tuple(asked.reranked)
            for label, own in hits_by_arm(hits).items():
                arms.setdefault(label, {})[query] = [d for d in _documents(own) if not (drop_same_id and d == query)]
            found = _documents(hits)
            looked = served.depth
            while len(found) < wanted and looked < rows:
                looked = max(wanted, looked) * DEEPER
                found = list(dict.fromkeys([*found, *_documents(asked.hits(found_alone.looking(looked), version))]))
            rankings[query] = [name for name in found if not (drop_same_id and name == query)][:depth]
    return Run(rankings, milliseconds, reranked, arms)


def _documents(hits: Sequence[Hit]) -> list[str]:
    """Documents in the order of their best chunks."""
    return list(dict.fromkeys(hit.chunk.document for hit in hits))


@dataclass(frozen=True, slots=True)
class _Query:
    """A query whose vector has been made before."""

    text: str
    vector: Vectors
    embedder: Embedder
    language: str
    late: TimedTokens
    coarse: Callable[[int], CoarseForm]
    reranker: Callable[[str], TimedReranker] | None = None
    chat: Callable[[str], str] = nobody_to_ask
    reranked: list[Reranking] = field(default_factory=list)

    def hits(self, pipeline: Pipeline, version: Snapshot) -> Sequence[Hit]:
        """What a search finds."""
        similarity = self.embedder.space.similarity
        asked = Context(
            self.text,
            lambda: version,
            self._embed,
            similarity=similarity,
            language=self.language,
            late=lambda: LateModel(self.late),
            reranker=self.reranker,
            chat=self.chat,
            coarse=self.coarse,
        )
        found = run(pipeline, asked)
        self.reranked.extend(asked.trace.reranked)
        return found.hits

    def _embed(self, text: str, role: Role) -> Vectors:
        if (text, role) == (self.text, "query"):
            return self.vector
        made: Vectors = comparable(self.embedder.embed([text], role).vectors, self.embedder.space)[0]
        return made


def _coarse(filled: Filled, card: ModelCard | None, dimensions: int) -> CoarseForm:
    """Coarse vectors as a set of these documents would have them. Raises UsageError, StoreError."""
    from embassay.embedders.wrap.projected import fit

    space = filled.embedder.space
    check_coarse(dimensions, space)
    trained = trained_form(space, card, dimensions)
    if trained is not None:
        return trained
    with filled.store.snapshot() as version:
        return projected_form(space, fit((vectors[VECTOR] for _, vectors in version.scan()), space, dimensions))
