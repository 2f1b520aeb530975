"""What can be compared: anything that ranks the documents of a judged set, and knows what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import ModelError
from embassay.evaluate.compare.candidate import Candidate
from embassay.evaluate.compare.statistics import spread
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.places import Place, covering
from embassay.evaluate.score.evaluation import Filled, Run, at_depth, fill
from embassay.evaluate.speed.timing import HOSTED_QUERIES, QUERIES, Throughput, query_ms, spaced, throughput
from embassay.search.snippet import snippet
from embassay.search.stages import Pipeline

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.search.index import Index
    from embassay.space import Space
    from embassay.stores.base import Store
    from embassay.types import Hit

SAMPLE = 256
"""Documents, at most, that throughput is measured on."""
SHOWN = 10
"""Hits of each query that are kept for people to look at."""
BYTES = 4
"""Of a float32."""
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What a candidate takes. None: not known, or not measured."""

    latency_ms: Mapping[str, Any]
    """p50, p95, p99 and n of one query: embedding it past every cache, and searching."""
    bytes_per_million: float
    """Float32 vectors of a million chunks."""
    usd_per_million_tokens: float | None
    texts_per_second: float | None = None
    tokens_per_second: float | None = None
    truncated: float | None = 0.0
    """Share of the documents that the model saw only the head of."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a candidate did with a judged set."""

    space: str
    pipeline: Pipeline
    run: Run
    costs: Costs
    texts: Mapping[str, str] = field(default_factory=dict)
    """Ranked id to a line that shows it, where the judged set does not have it."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a model alone."""

    query_ms: Mapping[str, float]
    """Query id to milliseconds to embed it."""
    throughput: Throughput | None
    """None for a hosted model: it would be paid for."""


class System(Protocol):
    """Anything that ranks."""

    name: str

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        """Rank `depth` documents for every query. Raises EmbassayError; what was embedded until then is kept."""
        ...

    def texts(self, judged: JudgedSet) -> int:
        """How many texts will be embedded at most, for a progress bar."""
        ...


class Models:
    """Makes systems of models. Candidates of one model share its vectors: documents are embedded once."""

    def __init__(
        self,
        registry: Registry,
        candidates: Sequence[Candidate],
        *,
        chunks: bool = False,
        drop_same_id: bool = False,
        new_store: Callable[[int], Store] | None = None,
    ) -> None:
        """`new_store` makes an empty one for so many dimensions; by default the exact one in memory."""
        self.registry, self.chunks, self.drop_same_id = registry, chunks, drop_same_id
        self._new_store = new_store or _memory
        self._left = Counter(candidate.model for candidate in candidates)
        self._dense = {candidate.model for candidate in candidates if candidate.dense}
        self._filled: dict[str, Filled] = {}
        self._speeds: dict[str, Speed] = {}

    def system(self, candidate: Candidate) -> ModelSystem:
        return ModelSystem(self, candidate)

    def filled(self, model: str, judged: JudgedSet, advance: Callable[[int], None]) -> Filled:
        """Its documents in a store; given up when its last candidate has been here."""
        self._left[model] -= 1
        if model in self._filled:
            advance(len(judged.documents) + len(judged.queries))
            return self._filled[model] if self._left[model] > 0 else self._filled.pop(model)
        embedder = self.registry.get(model)
        store = self._new_store(embedder.space.dimensions)
        made = fill(judged, embedder, store, vectors=model in self._dense, chunks=self.chunks, advance=advance)
        if self._left[model] > 0:
            self._filled[model] = made
        return made

    def speed(self, model: str, judged: JudgedSet) -> Speed:
        """Measured once for each model, whatever the number of its pipelines."""
        if model not in self._speeds:
            embedder = self.registry.get(model)
            bare = uncached(embedder)
            asked = spaced(list(judged.queries), HOSTED_QUERIES if embedder.remote else QUERIES)
            times = query_ms(bare, [judged.queries[query] for query in asked])
            texts = [f"{d.title} {d.text}".strip() for d in spaced(judged.documents, SAMPLE)]
            rate = None if embedder.remote else throughput(bare, texts)
            self._speeds[model] = Speed(dict(zip(asked, times, strict=True)), rate)
        return self._speeds[model]


def _memory(dimensions: int) -> Store:
    from embassay.stores.backends.memory import MemoryStore

    return MemoryStore(dimensions)


class ModelSystem:
    """A model in a form with a pipeline, over the documents of the judged set."""

    def __init__(self, models: Models, candidate: Candidate) -> None:
        self.name = candidate.name
        self._models, self._candidate = models, candidate

    def texts(self, judged: JudgedSet) -> int:
        return len(judged.documents) + len(judged.queries)

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        chosen = self._candidate
        filled = self._models.filled(chosen.model, judged, advance)
        run = filled.run(chosen.pipeline, depth=depth, drop_same_id=self._models.drop_same_id)
        return Outcome(str(filled.space), chosen.pipeline, run, self._costs(judged, filled, run))

    def _costs(self, judged: JudgedSet, filled: Filled, run: Run) -> Costs:
        if not self._candidate.dense:
            return Costs(spread(list(run.search_ms.values())), 0, 0.0)
        embedder = self._models.registry.get(self._candidate.model)
        speed = self._models.speed(self._candidate.model, judged)
        times = [ms + run.search_ms[query] for query, ms in speed.query_ms.items()]
        rate = speed.throughput
        per_second = rate.texts_per_second if rate else None
        if rate is None and not filled.usage.cached and filled.seconds > 0:  # all of it was asked for just now
            per_second = len(judged.documents) / filled.seconds
        return Costs(
            spread(times),
            filled.space.dimensions * BYTES * MILLION,
            embedder.price,
            per_second,
            rate.tokens_per_second if rate else None,
            filled.truncated,
        )


class SetSystem:
    """An existing set as it is searched: its chunks, its store, its model."""

    def __init__(self, name: str, index: Index, embedder: Embedder, pipeline: Pipeline, paths: Collection[str]) -> None:
        """`paths`: of the files that the set was made of."""
        self.name = name
        self.index, self.embedder, self.pipeline, self.paths = index, embedder, pipeline, frozenset(paths)

    @property
    def space(self) -> Space:
        return self.index.space

    def texts(self, judged: JudgedSet) -> int:
        return len(judged.queries)

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        """Hits are held against the judged places: a chunk that covers one counts as it.

        A hit that is none of them keeps its rank under its own place.
        """
        deep = at_depth(self.pipeline, depth)
        rankings: dict[str, Sequence[str]] = {}
        texts: dict[str, str] = {}
        for name, query in judged.queries.items():
            found = self.index.search(query, deep)
            if found.pipeline != deep:  # a search goes on by words where the model fails; a measurement must not
                raise ModelError(f"set {self.name!r}: {' '.join(found.notices)}")
            places = [Place.parse(document) for document in judged.qrels.get(name, {})]
            ranked = _ranked(found.hits, places)
            rankings[name] = list(ranked)[:depth]
            texts.update({k: _line(hit, query) for k, hit in list(ranked.items())[:SHOWN]})
            advance(1)
        dense = any(arm.name == "dense" for arm in self.pipeline.arms)
        size = self.space.dimensions * BYTES * MILLION if dense else 0
        price = self.embedder.price if dense else 0.0
        costs = Costs(spread(self._times(list(judged.queries.values()))), size, price, truncated=None)
        return Outcome(str(self.space), self.pipeline, Run(rankings), costs, texts)

    def _times(self, queries: Sequence[str]) -> list[float]:
        """Milliseconds of whole searches, each query embedded anew."""
        asked = spaced(queries, HOSTED_QUERIES if self.embedder.remote else QUERIES)
        with closing(self.index.uncached()) as index:
            index.search(asked[0], self.pipeline)
            return [index.search(query, self.pipeline).took_ms for query in asked]


def _ranked(hits: Sequence[Hit], places: Sequence[Place]) -> dict[str, Hit]:
    """Ids in the order of the hits: judged places as they are written, others as lines of their file.

    A hit has one rank: where it covers several judged places, the nearest has it, and the others come behind all hits.
    Where whole files are judged, all hits of a file are that file.
    """
    whole = bool(places) and all(place.first is None for place in places)
    ranked: dict[str, Hit] = {}
    behind: dict[str, Hit] = {}
    for hit in hits:
        place = Place(hit.chunk.path) if whole else Place(hit.chunk.path, *hit.chunk.lines)
        named = [str(found) for found in covering(place, places) if str(found) not in ranked]
        ranked.setdefault((named or [str(place)])[0], hit)
        behind.update(dict.fromkeys(named[1:], hit))
    return ranked | {name: hit for name, hit in behind.items() if name not in ranked}


def _line(hit: Hit, query: str) -> str:
    return f"{hit.chunk.section}: {snippet(hit.chunk.text, query)}".removeprefix(": ")
