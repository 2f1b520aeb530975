"""What a server counts, for Prometheus: it listens to the events of its session, and reads the queues when it is asked.

Labels have few values: routes as they are declared, methods of HTTP, models and sets by name up to a bound. No text, no
key and nothing else that a client makes up becomes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, Summary, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from embassay.embedders.wrap.batched import Batched
from embassay.events import Answered, BatchRan, Embedded, FellBack, RerankRan, Searched
from embassay.server.te_metrics import TeMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.events import Events
    from embassay.server.served import ServedModels

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER = "(other)"
"""Stands for all label values beyond the bound."""
MOST_VALUES = 100
"""Of a label whose values come from outside: the names of sets and models."""
_STAGE = re.compile(r"[a-z_]+")


class FewValues:
    """Lets so many different values of a label through, and calls all others `OTHER`."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most = most
        self._seen: set[str] = set()

    def __call__(self, value: str) -> str:
        """The value itself, as long as there are not too many."""
        if value in self._seen:
            return value
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(value)
        return value


class Metrics:
    """Of one server. Its listeners are called in whatever thread something happens."""

    def __init__(
        self, events: Events, models: ServedModels, in_flight: Callable[[], int], spent: Callable[[], float]
    ) -> None:
        """`in_flight`: requests that are under way. `spent`: US dollars so far."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # a series more for each
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._model, self._set = FewValues(), FewValues()
        self._make_counters()
        self.registry.register(_State(models, in_flight, spent))
        TeMetrics(events, models, self.registry)
        listen = events.subscribe
        listen(Answered, self._answered)
        listen(BatchRan, self._batch_ran)
        listen(Embedded, self._embedded)
        listen(FellBack, self._fell_back)
        listen(RerankRan, self._scored_texts)
        listen(Searched, self._searched)

    def page(self, accept: str) -> tuple[bytes, str]:
        """All of it, and the media type, in the format that a client with this Accept header reads."""
        encoder, media = choose_encoder(accept)
        return encoder(self.registry), media

    def _make_counters(self) -> None:
        def count(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"embassay_{name}", about, labels, registry=self.registry)

        def spread(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"embassay_{name}", about, labels, buckets=buckets, registry=self.registry)

        lane = ("model", "role")
        self._requests = count("requests", "Requests that were answered", "route", "method", "status")
        self._errors = count("errors", "Requests that failed, by the code of the error", "code")
        self._request_seconds = spread("request_seconds", "From request to answer", SECONDS, "route")
        self._waited = spread("waited_seconds", "How long the first text of a batch waited", SECONDS, *lane)
        self._inference = spread("inference_seconds", "How long a model took for a batch", SECONDS, *lane)
        self._batch_requests = spread("batch_requests", "Requests whose texts were computed together", COUNTS, *lane)
        self._batch_texts = spread("batch_texts", "Texts of a batch", COUNTS, *lane)
        self._batch_tokens = spread("batch_tokens", "Tokens of a batch, estimated", TOKENS, *lane)
        self._batches_failed = count("batches_failed", "Batches that a model made no vectors of", *lane)
        self._texts = count("texts", "Texts that were embedded", *lane)
        self._cached = count("texts_cached", "Texts whose vectors came from the cache", *lane)
        self._truncated = count("texts_truncated", "Texts of which the model saw only the head", *lane)
        self._billed = count("billed_tokens", "Tokens that providers billed for embeddings", "model")
        self._fallbacks = count("fallbacks", "Calls that another model answered", "model", "answered")
        self._scored = count("reranked_texts", "Texts that a reranker scored", "model")
        self._rerank_seconds = spread("rerank_seconds", "How long a reranker took", SECONDS, "model")
        self._search = spread("search_seconds", "How long a search took, its query embedded", SECONDS, "set")
        about = "How long the stages of searches took, without models: arms and fetch are the store"
        names = ("set", "stage")
        self._stages = Summary("embassay_search_stage_seconds", about, names, registry=self.registry)

    def _answered(self, event: Answered) -> None:
        method = event.method if event.method in METHODS else OTHER
        route = event.route or OTHER
        self._requests.labels(route, method, str(event.status)).inc()
        self._request_seconds.labels(route).observe(event.seconds)
        if event.code:
            self._errors.labels(event.code).inc()

    def _batch_ran(self, event: BatchRan) -> None:
        lane = (self._model(event.model), event.role)
        self._waited.labels(*lane).observe(event.waited)
        self._inference.labels(*lane).observe(event.took)
        self._batch_requests.labels(*lane).observe(event.requests)
        self._batch_texts.labels(*lane).observe(event.texts)
        self._batch_tokens.labels(*lane).observe(event.tokens)
        if event.failed:
            self._batches_failed.labels(*lane).inc()

    def _embedded(self, event: Embedded) -> None:
        lane = (self._model(event.model), event.role)
        self._texts.labels(*lane).inc(event.texts)
        self._cached.labels(*lane).inc(event.cached)
        self._truncated.labels(*lane).inc(event.truncated)
        if event.tokens:
            self._billed.labels(lane[0]).inc(event.tokens)

    def _fell_back(self, event: FellBack) -> None:
        self._fallbacks.labels(self._model(event.model), self._model(event.answered)).inc()

    def _scored_texts(self, event: RerankRan) -> None:
        model = self._model(event.model)
        self._scored.labels(model).inc(event.texts)
        self._rerank_seconds.labels(model).observe(event.seconds)

    def _searched(self, event: Searched) -> None:
        if event.measured:
            return
        name = self._set(event.set if len(event.sets) < 2 else "(several)")
        self._search.labels(name).observe(event.took_ms / 1e3)
        for step in event.trace:
            stage = _STAGE.match(str(step["stage"]))
            alone = float(str(step["ms"])) - float(str(step["model_ms"]))
            self._stages.labels(name, stage.group() if stage else OTHER).observe(max(0.0, alone) / 1e3)


class _State(Collector):
    """What is the case when somebody asks."""

    def __init__(self, models: ServedModels, in_flight: Callable[[], int], spent: Callable[[], float]) -> None:
        self._models, self._in_flight, self._spent = models, in_flight, spent

    def collect(self) -> Iterator[Metric]:
        """Requests under way, what waits, models that are loaded, and money."""
        yield GaugeMetricFamily("embassay_requests_in_flight", "Requests that are under way", self._in_flight())
        waiting = GaugeMetricFamily(
            "embassay_queue_tokens", "Tokens that wait to be embedded, estimated", labels=("model", "role")
        )
        bounds = GaugeMetricFamily(
            "embassay_queue_limit_tokens", "Tokens that may wait: more are refused", labels=("model", "role")
        )
        loaded = self._models.loaded()
        for name, model in loaded[:MOST_VALUES]:
            if isinstance(model, Batched):
                for role, tokens in model.waiting.items():
                    waiting.add_metric((name, role), tokens)
                    bounds.add_metric((name, role), model.bound)
        yield waiting
        yield bounds
        yield GaugeMetricFamily("embassay_models_loaded", "Models that are ready to be asked", len(loaded))
        yield CounterMetricFamily("embassay_spend_usd", "US dollars that this server spent on providers", self._spent())
