"""The compiled model: feeds batches of token ids to OpenVINO, many at a time or one at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import openvino as ov

    from mensura.types import Vectors

INT8_GROUP = "128"
"""Activations are quantised in groups of this many channels."""


class Feed(Protocol):
    """Turns right-padded ids (batch, tokens) and lengths (batch,) into the graph's inputs."""

    def __call__(self, ids: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> dict[str, Any]: ...


def feed_lengths(ids: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"input_ids": ids, "lengths": lengths}


class Runtime:
    """One graph at one precision. Threads may share it."""

    def __init__(self, graph: ov.Model, precision: str, feed: Feed = feed_lengths) -> None:
        import openvino as ov

        self._core = ov.Core()
        self._graph, self._feed = graph, feed
        self._options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32" if precision == "f32" else "bf16"}
        if precision == "int8":
            self._options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = INT8_GROUP
            if "BF16" not in cpu_capabilities():
                self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._local = threading.local()
        self._compiling = threading.Lock()

    @cached_property
    def _latency(self) -> ov.CompiledModel:
        return self._compile("LATENCY", 1)

    @cached_property
    def _throughput(self) -> ov.CompiledModel:
        return self._compile("THROUGHPUT", cpu_count())

    def _compile(self, hint: str, streams: int) -> ov.CompiledModel:
        with self._compiling:
            options = {**self._options, "PERFORMANCE_HINT": hint, "NUM_STREAMS": streams}
            return self._core.compile_model(self._graph, "CPU", {**options, "INFERENCE_NUM_THREADS": cpu_count()})

    def once(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """One small batch as fast as possible, all cores on it. Shape (len(batch), dimensions)."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._latency.create_infer_request()
        request.infer(self._inputs(batch, max(map(len, batch))))
        return np.array(request.get_output_tensor(0).data)

    def queue(self) -> Queue:
        """A queue for many batches, one stream a core. Not to be shared between threads."""
        return Queue(self._throughput, self._inputs)

    def _inputs(self, batch: Sequence[Sequence[int]], width: int) -> dict[str, Any]:
        ids = np.zeros((len(batch), width), np.int64)
        lengths = np.empty(len(batch), np.int32)
        for row, tokens in enumerate(batch):
            lengths[row] = len(tokens)
            ids[row, : len(tokens)] = tokens
        return self._feed(ids, lengths)


class Queue:
    """Runs batches as cores come free and writes their rows where they belong."""

    def __init__(self, compiled: ov.CompiledModel, inputs: Any) -> None:
        import openvino as ov

        self._inputs = inputs
        self._requests = ov.AsyncInferQueue(compiled, cpu_count() + 1)
        self._requests.set_callback(self._done)

    def submit(self, batch: Sequence[Sequence[int]], width: int, rows: Sequence[int], into: Target) -> None:
        """Waits only while every request is busy."""
        self._requests.start_async(self._inputs(batch, width), userdata=(rows, into))

    @staticmethod
    def _done(request: Any, userdata: tuple[Sequence[int], Target]) -> None:
        rows, into = userdata
        into.write(rows, request.get_output_tensor(0).data)

    def close(self) -> None:
        self._requests.wait_all()


class Target:
    """n rows that arrive in any order."""

    def __init__(self, count: int, dimensions: int) -> None:
        self.vectors: Vectors = np.empty((count, dimensions), np.float32)
        self._missing = count
        self._complete = threading.Event()
        self._lock = threading.Lock()
        if not count:
            self._complete.set()

    def write(self, rows: Sequence[int], values: Vectors) -> None:
        self.vectors[rows] = values
        with self._lock:
            self._missing -= len(rows)
            if not self._missing:
                self._complete.set()

    def wait(self) -> Vectors:
        self._complete.wait()
        return self.vectors


def cpu_capabilities() -> frozenset[str]:
    """What OpenVINO finds in this CPU, e.g. ``BF16``, ``INT8``."""
    import openvino as ov

    return frozenset(ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def cpu_count() -> int:
    """Cores this process may use."""
    import os

    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS and Windows do not say
        return os.cpu_count() or 1
