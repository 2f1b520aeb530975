"""Stay, cascade or re-index: what each would bring on a judged set, and cost, before a set is moved.

Nothing of the set is changed. What is embedded is kept in the cache, as far as it keeps vectors of that model, so that
a migration does not pay for it again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.evaluate.compare.opening import check_judged
from embassay.evaluate.compare.paired import METRICS, compare_systems
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.compare.verdict import MIN_EFFECT
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.data.places import Place
from embassay.evaluate.migration.options import CASCADE, REINDEX, STAY, Cascading, ReindexSystem
from embassay.evaluate.migration.pool import EmbeddedPool, ProbePool, draw
from embassay.evaluate.migration.price import EmbeddedTexts, Outlay, Rates, make, rates_of
from embassay.evaluate.score.metrics import deepest
from embassay.models.reference import with_precision
from embassay.search.base import DEPTH
from embassay.search.modes import cascaded, pipeline
from embassay.search.stages.cascade import Cascade
from embassay.session import Session
from embassay.sets.migration.target import MigrationTarget

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.evaluate.compare.result import Comparison
    from embassay.evaluate.compare.rows import Pair
    from embassay.home import Home
    from embassay.search.index import Index

WHOLE = 2000
"""Chunks up to which the whole set is embedded."""
SAMPLE = 1000
"""Chunks of a larger set that are drawn besides those that have to be in the pool."""
POINT = 0.01
"""Of a metric from 0 to 1."""


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How a set is probed."""

    mode: str = "hybrid"
    """How it is searched: what is measured should be what is served."""
    metrics: tuple[str, ...] = METRICS
    """The first one decides."""
    min_effect: float = MIN_EFFECT
    whole: int = WHOLE
    """Chunks up to which the whole set is embedded."""
    sample: int = SAMPLE
    """Chunks that are drawn of a larger one."""


@dataclass(frozen=True, slots=True)
class MigrationProbe:
    """What a probe of one set and one model found."""

    set: str
    space: str
    """The new one."""
    pool: ProbePool
    comparison: Comparison
    """``stay``, ``cascade`` and ``re-index``; the first one is what is in use."""
    reindex: Outlay
    """What all of the set would take, once."""
    cascade: Outlay
    """What a query would take, where nothing of its candidates is embedded yet."""
    remembered: Outlay
    """The same on the average of these queries, if every vector that one of them made is kept."""
    spent: Outlay
    """What the probe itself took."""

    @property
    def break_even(self) -> int | None:
        """After how many queries a re-index has cost less than a cascade that keeps nothing."""
        return math.ceil(self.reindex.tokens / self.cascade.tokens) if self.cascade.tokens else None

    def gain(self, name: str) -> Pair:
        """What another way brings against staying, on the first metric."""
        return next(pair for pair in self.comparison.deciding if pair.b == name)

    @property
    def price_of_a_point(self) -> Outlay | None:
        """What a re-index takes for each hundredth that it gains; None where it gains nothing, or nobody could tell."""
        gains = [pair.difference for pair in self.comparison.deciding if pair.b == REINDEX]
        return self.reindex.scaled(POINT / gains[0]) if gains and gains[0] > 0 else None

    @property
    def notice(self) -> str:
        """What the figures are, where they are no plain measurements; else empty."""
        if self.pool.is_whole:
            return ""
        embedded, rows = len(self.pool.chunks), self.pool.rows
        return (
            f"{embedded:,} of {rows:,} chunks were embedded: those that the set finds for these queries, those that "
            "are judged, and a random sample of the others. What a re-index scores is an estimate by them; the other "
            "two are measured."
        )

    def to_dict(self) -> dict[str, object]:
        """The probe as JSON has it."""
        point = self.price_of_a_point
        return {
            "set": self.set,
            "to": self.space,
            "chunks": self.pool.rows,
            "embedded": len(self.pool.chunks),
            "estimated": not self.pool.is_whole,
            "comparison": self.comparison.to_dict(),
            "reindex": self.reindex.to_dict(),
            "cascade_query": self.cascade.to_dict(),
            "cascade_query_remembered": self.remembered.to_dict(),
            "break_even_queries": self.break_even,
            "price_of_a_point": point and point.to_dict(),
            "spent": self.spent.to_dict(),
            "notice": self.notice,
        }


def probe(
    set: str,
    to: str,
    judged: str | os.PathLike[str] | JudgedSet,
    *,
    home: str | os.PathLike[str] | None = None,
    precision: str | None = None,
    split: str | None = None,
    session: Session | None = None,
    options: ProbeOptions = ProbeOptions(),
    advance: Callable[[int], None] = lambda _: None,
    started: Callable[[int], None] = lambda _: None,
) -> MigrationProbe:
    """Measure what it would bring to move `set` to the model `to`: to stay, to cascade for ever, or to index anew.

    `started` is told how many texts are embedded, `advance` of each that is done. Raises JudgedSetError, UsageError
    where the set lacks judged documents or is in that space already, SetNotFound, ModelError, ProviderError and
    StoreError.

    >>> embassay.probe("docs", "all-mpnet-base-v2", "judged/").break_even          # doctest: +SKIP
    1038
    """
    from embassay.home import Home
    from embassay.sets.folder import find_home

    data = judged if isinstance(judged, JudgedSet) else read_judged(Path(judged), split)
    target = MigrationTarget.of(to, precision)
    folder = find_home(Path(home) if home is not None else None)
    with ExitStack() as opened:
        if session is None:
            session = opened.enter_context(Session(cache_file=folder.cache_file, keep_local=True))
        within = opened.enter_context(Home(folder, session))
        embedder = session.models.resilient(with_precision(target.model, target.precision))
        live = opened.enter_context(within.searcher(set))
        if embedder.space == live.space:
            raise UsageError(f"set {set!r} is in the space {live.space} already.")
        return _Probing(within, set, live, embedder, data, options).run(advance, started)


class _Probing:
    """One probe under way."""

    def __init__(
        self, home: Home, name: str, live: Index, embedder: Embedder, judged: JudgedSet, options: ProbeOptions
    ) -> None:
        self._name, self._live, self._embedder = name, live, embedder
        self._judged, self._options = judged, options
        searched = pipeline(options.mode)
        self._rescored = cascaded(searched, Cascade(0))
        self._stay = SetSystem(STAY, live, home.embedder(name), searched, home.sources(name))

    def run(self, advance: Callable[[int], None], started: Callable[[int], None]) -> MigrationProbe:
        """Embed the pool, and compare."""
        check_judged(self._judged, [self._stay])
        candidates, certain = self._candidates()
        pool = self._drawn(certain)
        started(len(pool.chunks))
        texts = [chunk.indexed for chunk in pool.chunks]
        made = make(self._embedder, texts, advance)
        comparison = self._compared(EmbeddedPool(pool, made.vectors))
        return self._priced(pool, candidates, made, rates_of(self._embedder, texts, made), comparison)

    def _candidates(self) -> tuple[list[list[str]], set[str]]:
        """The keys of what dense arms find for each query, which a cascade scores; and of whatever any arm finds."""
        depth = max(DEPTH, deepest(self._options.metrics))
        arms = self._rescored.arms
        dense = {arm.label for arm in arms if arm.dense and not arm.elsewhere}
        deep = self._stay.pipeline.with_deeper([arm.label for arm in arms], depth).handing_out(depth)
        candidates: list[list[str]] = []
        certain: set[str] = set()
        for query in self._judged.queries.values():
            hits = self._live.search(query, deep, measured=True).hits
            candidates.append([hit.chunk.key for hit in hits if dense & hit.arms.keys()])
            certain.update(hit.chunk.key for hit in hits)
        return candidates, certain

    def _drawn(self, certain: Collection[str]) -> ProbePool:
        paths = {Place.parse(name).path for judged in self._judged.qrels.values() for name in judged}
        with ExitStack() as held:
            (version,) = self._live.snapshots(held).values()
            return draw(version, certain, paths, whole=self._options.whole, sample=self._options.sample)

    def _compared(self, embedded: EmbeddedPool) -> Comparison:
        cascading = Cascading(self._live, embedded, self._embedder)
        systems = [
            self._stay,
            SetSystem(CASCADE, cascading, self._stay.embedder, self._rescored, self._stay.paths),
            ReindexSystem(self._live, embedded, self._embedder, self._stay),
        ]
        options = self._options
        return compare_systems(self._judged, systems, metrics=options.metrics, min_effect=options.min_effect)

    def _priced(
        self,
        pool: ProbePool,
        candidates: Sequence[Sequence[str]],
        made: EmbeddedTexts,
        rates: Rates,
        comparison: Comparison,
    ) -> MigrationProbe:
        dimensions = self._embedder.space.dimensions
        tokens = {chunk.key: count for chunk, count in zip(pool.chunks, made.tokens, strict=True)}
        whole = math.fsum(weight * count for weight, count in zip(pool.weights, made.tokens, strict=True))
        queries = len(candidates)
        each = [key for keys in candidates for key in keys if key in tokens]  # a set may be written meanwhile
        once = set(each)
        return MigrationProbe(
            self._name,
            str(self._embedder.space),
            pool,
            comparison,
            reindex=rates.outlay(pool.rows, whole, dimensions),
            cascade=rates.outlay(len(each), sum(tokens[key] for key in each)).scaled(1 / queries),
            remembered=rates.outlay(len(once), sum(tokens[key] for key in once), dimensions).scaled(1 / queries),
            spent=Outlay(len(pool.chunks), sum(made.tokens), made.usage.usd, made.seconds),
        )
