"""Models as candidates: each embeds the documents of the judged set and ranks them with a pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from embassay.evaluate.compare.candidate import Candidate
from embassay.evaluate.compare.costs import Costs, ModelTimes, bytes_per_million, model_times
from embassay.evaluate.compare.statistics import spread
from embassay.evaluate.compare.systems import Outcome
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.filling import Filled, asked_anew, fill
from embassay.evaluate.score.ranking import Run, rank_documents
from embassay.evaluate.score.reranking import RerankShare
from embassay.models.reference import uncut
from embassay.stores.opening import NewStore, exact_store

if TYPE_CHECKING:
    from embassay.models.registry import Registry


class Models:
    """Makes systems of models. Candidates of one model share its vectors: documents are embedded once."""

    def __init__(
        self,
        registry: Registry,
        candidates: Sequence[Candidate],
        *,
        chunks: bool = False,
        drop_same_id: bool = False,
        new_store: NewStore | None = None,
        keep: bool = False,
    ) -> None:
        """`new_store` makes an empty one; by default the exact one in memory. `keep`: the stores stay, for queries that
        come later."""
        self.registry, self.chunks, self.drop_same_id = registry, chunks, drop_same_id
        self._new_store = new_store or exact_store
        self._keep = keep
        self._left = Counter(candidate.model for candidate in candidates)
        self._embedded = {candidate.model for candidate in candidates if candidate.pipeline.needs_model}
        self._filled: dict[str, Filled] = {}
        self._times: dict[str, ModelTimes] = {}

    def system(self, candidate: Candidate) -> ModelSystem:
        """The candidate as something that ranks."""
        return ModelSystem(self, candidate)

    def filled(self, model: str, judged: JudgedSet, advance: Callable[[int], None]) -> Filled:
        """Its documents in a store; given up when its last candidate has been here, unless stores are kept."""
        self._left[model] -= 1
        stays = self._keep or self._left[model] > 0
        if model in self._filled:
            made = self._filled[model] if stays else self._filled.pop(model)
            if made.judged.queries == judged.queries:
                advance(len(judged.documents) + len(judged.queries))
                return made
            self._filled[model] = made = asked_anew(made, judged, vectors=model in self._embedded, advance=advance)
            return made
        embedder = self.registry.get(model)
        store = self._new_store(embedder.space.dimensions, embedder.space.similarity, judged.language)
        made = fill(judged, embedder, store, vectors=model in self._embedded, chunks=self.chunks, advance=advance)
        if stays:
            self._filled[model] = made
        return made

    def times(self, model: str, judged: JudgedSet) -> ModelTimes:
        """Measured once for each model, whatever the number of its pipelines."""
        if model not in self._times:
            self._times[model] = model_times(self.registry.get(model), judged)
        return self._times[model]


class ModelSystem:
    """A model in a form with a pipeline, over the documents of the judged set."""

    def __init__(self, models: Models, candidate: Candidate) -> None:
        self.name = candidate.name
        self._models, self._candidate = models, candidate

    def texts(self, judged: JudgedSet) -> int:
        """Every document and every query."""
        return len(judged.documents) + len(judged.queries)

    def outcome(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Outcome:
        """Embed what is not embedded yet, and rank. Raises ModelError, ProviderError, StoreError."""
        filled = self._models.filled(self._candidate.model, judged, advance)
        run = self._ranked(filled, depth)
        space, costs = filled.embedder.space, self._costs(judged, filled, run)
        return Outcome(str(space), self._candidate.pipeline, run, costs, space_digest=space.digest)

    def run(self, judged: JudgedSet, depth: int, advance: Callable[[int], None]) -> Run:
        """Embed what is not embedded yet, and rank. Raises ModelError, ProviderError, StoreError."""
        return self._ranked(self._models.filled(self._candidate.model, judged, advance), depth)

    def _ranked(self, filled: Filled, depth: int) -> Run:
        return rank_documents(
            filled,
            self._candidate.pipeline,
            depth=depth,
            drop_same_id=self._models.drop_same_id,
            card=self._models.registry.card(uncut(self._candidate.model)),
            reranker=lambda asked: self._models.registry.rerankers.get(asked),  # noqa: PLW0108 - most need none
            chat=lambda message: self._models.registry.chat.text(message),  # noqa: PLW0108
        )

    def _costs(self, judged: JudgedSet, filled: Filled, run: Run) -> Costs:
        reranking = RerankShare.of(run.reranked, len(judged.queries))
        if not self._candidate.pipeline.needs_model:
            return Costs(spread(list(run.search_ms.values())), 0, 0.0, reranking=reranking)
        alone = self._models.times(self._candidate.model, judged)
        times = [ms + run.search_ms[query] for query, ms in alone.query_ms.items()]
        rate = alone.throughput
        per_second = rate.texts_per_second if rate else None
        if rate is None and not filled.usage.cached and filled.seconds > 0:  # all of it was asked for just now
            per_second = len(judged.documents) / filled.seconds
        return Costs(
            spread(times),
            bytes_per_million(filled.embedder.space),
            filled.embedder.price,
            per_second,
            rate.tokens_per_second if rate else None,
            filled.truncated,
            reranking,
        )
