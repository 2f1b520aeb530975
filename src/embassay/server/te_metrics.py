"""The metrics of Text Embeddings Inference by its own names, so that a dashboard made for it shows this server as well.

They count the requests that asked a model. What is not known here is left out: how long texts took to be tokenised,
which is a part of inference.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from embassay.embedders.wrap.batched import Batched
from embassay.events import Answered, BatchRan, RerankRan

if TYPE_CHECKING:
    from embassay.events import Events
    from embassay.server.served import ServedModels

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
ERRORS = {
    400: "validation",
    413: "batch_size",
    415: "validation",
    422: "validation",
    424: "model_type",
    429: "overloaded",
    499: "dropped",
}
"""The `err` of TEI for a status; all other failures are of the inference."""
COUNTED = {
    "te_request_count": "Requests that asked a model, with one text or several",
    "te_request_success": "Those of them that were answered",
    "te_request_failure": "Requests that failed",
    "te_embed_count": "Texts to embed",
    "te_embed_success": "Texts that were embedded",
    "te_predict_count": "Texts to score",
    "te_predict_success": "Texts that were scored",
}


class TeMetrics(Collector):
    """Joins the registry of a server."""

    def __init__(self, events: Events, models: ServedModels, registry: CollectorRegistry) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

        def spread(name: str, about: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"te_{name}", about, buckets=buckets, registry=registry)

        self._duration = spread("request_duration", "Seconds from request to answer", SECONDS)
        self._queue = spread("request_queue_duration", "Seconds that a batch waited", SECONDS)
        self._inference = spread("request_inference_duration", "Seconds that a batch took", SECONDS)
        self._length = spread("request_input_length", "Tokens of a text: of each request their mean", LENGTHS)
        self._batch_size = spread("batch_next_size", "Texts of a batch", COUNTS)
        self._batch_tokens = spread("batch_next_tokens", "Tokens of a batch, estimated", LENGTHS)
        registry.register(self)
        listen = events.subscribe
        listen(Answered, self._answered)
        listen(BatchRan, self._batch_ran)
        listen(RerankRan, self._scored)

    def collect(self) -> Iterator[Metric]:
        """The counters, whose names Prometheus's own client would change; and how many texts wait."""
        with self._lock:
            counts = sorted(self._counts.items())
        for name, about in COUNTED.items():
            metric = Metric(name, about, "unknown")
            for (of, label, value), count in counts:
                if of == name:
                    metric.add_sample(name, {label: value} if label else {}, count)
            yield metric
        queued = sum(model.queued for _, model in self._models.loaded() if isinstance(model, Batched))
        yield GaugeMetricFamily("te_queue_size", "Requests that wait to be embedded", queued)

    def _count(self, name: str, amount: int = 1, label: str = "", value: str = "") -> None:
        with self._lock:
            self._counts[name, label, value] += amount

    def _answered(self, event: Answered) -> None:
        refused = event.method == "POST" and event.status in ERRORS
        if not event.model:
            if refused:
                self._count("te_request_failure", 1, "err", ERRORS[event.status])
            return
        self._count("te_request_count", 1, "method", "single" if event.texts <= 1 else "batch")
        if event.status < 400:
            self._count("te_request_success", 1, "method", "single" if event.texts <= 1 else "batch")
            self._duration.observe(event.seconds)
            if event.texts and event.tokens:
                self._length.observe(event.tokens / event.texts)
        else:
            self._count("te_request_failure", 1, "err", ERRORS.get(event.status, "inference"))

    def _batch_ran(self, event: BatchRan) -> None:
        self._queue.observe(event.waited)
        self._inference.observe(event.took)
        self._batch_size.observe(event.texts)
        self._batch_tokens.observe(event.tokens)
        self._count("te_embed_count", event.texts)
        if not event.failed:
            self._count("te_embed_success", event.texts)

    def _scored(self, event: RerankRan) -> None:
        self._count("te_predict_count", event.texts)
        if not event.failed:
            self._count("te_predict_success", event.texts)
