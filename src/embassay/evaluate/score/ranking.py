"""What a pipeline ranks for each judged query: the run, in the words of the field, that metrics are computed of."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.evaluate.score.filling import Filled
from embassay.search.context import Context
from embassay.search.pipeline import Pipeline
from embassay.search.run import run
from embassay.vectors import comparable

if TYPE_CHECKING:
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


def rank_documents(filled: Filled, pipeline: Pipeline, *, depth: int = DEPTH, drop_same_id: bool = False) -> Run:
    """Rank `depth` documents for every query: those that a search finds, then what it finds by looking deeper.

    How deep its arms look decides what a fusion makes of them: the first hits have to be those of a search. With
    `drop_same_id` a document whose id is the query's is left out. Raises ModelError, ProviderError, StoreError.
    """
    wanted, rows = depth + drop_same_id, filled.snapshot.count()
    served = pipeline.handing_out(wanted)
    rankings, milliseconds = {}, {}
    for at, (query, text) in enumerate(filled.judged.queries.items()):
        if not at:
            _documents(filled, served, text, filled.queries[at])  # makes indexes that are made when first needed
        started = time.perf_counter()
        found = _documents(filled, served, text, filled.queries[at])
        milliseconds[query] = (time.perf_counter() - started) * 1e3
        looked = served.depth
        while len(found) < wanted and looked < rows:
            looked = max(wanted, looked) * DEEPER
            further = _documents(filled, pipeline.looking(looked), text, filled.queries[at])
            found = list(dict.fromkeys([*found, *further]))
        rankings[query] = [name for name in found if not (drop_same_id and name == query)][:depth]
    return Run(rankings, milliseconds)


def _documents(filled: Filled, pipeline: Pipeline, query: str, vector: Vectors) -> list[str]:
    """Documents in the order of their best chunks. The vector of the query has been made before."""

    def embed(text: str, role: Role) -> Vectors:
        if (text, role) == (query, "query"):
            return vector
        made: Vectors = comparable(filled.embedder.embed([text], role).vectors, filled.embedder.space)[0]
        return made

    found = run(pipeline, Context(query, lambda: filled.snapshot, embed))
    return list(dict.fromkeys(hit.chunk.document for hit in found.hits))
