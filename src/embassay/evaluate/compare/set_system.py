"""Sets as candidates: each is searched as it is, and its hits are held against the judged places."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.evaluate.compare.alterations import clean
from embassay.evaluate.compare.costs import Costs, bytes_per_million, timed_queries
from embassay.evaluate.compare.statistics import spread
from embassay.evaluate.compare.systems import SHOWN, Outcome
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.places import Place, covering
from embassay.evaluate.score.arms import hits_by_arm
from embassay.evaluate.score.ranking import Run
from embassay.evaluate.score.reranking import RerankShare
from embassay.search.pipeline import Pipeline
from embassay.search.snippet import snippet

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.search.index import Searcher
    from embassay.search.trace import Reranking
    from embassay.space import Space
    from embassay.types import Hit


class SetSystem:
    """An existing set as it is searched: its chunks, its store, its model."""

    def __init__(
        self,
        name: str,
        index: Searcher,
        embedder: Embedder,
        pipeline: Pipeline,
        paths: Collection[str],
        others: Sequence[Embedder] = (),
    ) -> None:
        """`paths`: of the files that the set was made of; `others`: the models of other sets in which arms look."""
        self.name, self.others = name, others
        self.index, self.embedder, self.pipeline, self.paths = index, embedder, pipeline, frozenset(paths)

    @property
    def space(self) -> Space:
        """The space of the set's vectors."""
        return self.index.space

    def texts(self, judged: JudgedSet) -> int:
        """Every query; the documents were embedded when the set was made."""
        return len(judged.queries)

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        """Search every query. A chunk that covers a judged place counts as that place.

        A hit that is none of them keeps its rank under its own place. Raises ModelError, ProviderError, StoreError.
        """
        found, texts = self._found(judged, depth, advance)
        models = [*([self.embedder] if self.pipeline.needs_model else ()), *self.others]
        size = sum(bytes_per_million(model.space) for model in models)
        prices = [model.price for model in models]
        price = None if None in prices else sum(filter(None, prices), 0.0)
        times = spread(self._times([judged.queries[name] for name in clean(judged.queries)]))
        shares = RerankShare.of(found.reranked, len(judged.queries))
        costs = Costs(times, size, price, truncated=None, reranking=shares)
        return Outcome(str(self.space), self.pipeline, found, costs, texts, self.space.digest)

    def run(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Run:
        """Search every query. Raises ModelError, ProviderError, StoreError."""
        return self._found(judged, depth, advance)[0]

    def _found(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> tuple[Run, dict[str, str]]:
        """Places that were ranked, and what stands there."""
        deep = self.pipeline.handing_out(depth)
        rankings: dict[str, Sequence[str]] = {}
        texts: dict[str, str] = {}
        reranked: dict[str, Sequence[Reranking]] = {}
        arms: dict[str, dict[str, Sequence[str]]] = {}
        for name, query in judged.queries.items():
            found = self.index.search(query, deep, measured=True)
            reranked[name] = found.reranked
            places = [Place.parse(document) for document in judged.qrels.get(name, {})]
            ranked = ranked_places(found.hits, places)
            rankings[name] = self.ranking(ranked)[:depth]
            for label, own in hits_by_arm(found.hits).items():
                arms.setdefault(label, {})[name] = self.ranking(ranked_places(own, places))[:depth]
            texts.update({k: _line(hit, query, self.index.language) for k, hit in list(ranked.items())[:SHOWN]})
            advance(1)
        return Run(rankings, reranked=reranked, arms=arms), texts

    def ranking(self, ranked: Mapping[str, Hit]) -> list[str]:
        """Ids as they are scored, of those that were found, in their order."""
        return list(ranked)

    def _times(self, queries: list[str]) -> list[float]:
        """Milliseconds of whole searches, for each of which the query is embedded anew."""
        asked = timed_queries(self.embedder, queries)
        self._took_ms(asked[0])
        return [self._took_ms(query) for query in asked]

    def _took_ms(self, query: str) -> float:
        return self.index.search(query, self.pipeline, measured=True, cached=False).took_ms


def ranked_places(hits: Sequence[Hit], places: Sequence[Place]) -> dict[str, Hit]:
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


def _line(hit: Hit, query: str, language: str) -> str:
    shown = " ".join(snippet(hit.chunk.text, query, language=language).split())
    return f"{hit.chunk.section}: {shown}".removeprefix(": ")
