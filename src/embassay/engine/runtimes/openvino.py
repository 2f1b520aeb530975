"""OpenVINO: a graph compiled for this CPU."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.runtimes.base import Target
from embassay.engine.runtimes.padding import Batch, Ids, Lengths, padded
from embassay.threads import cpu_count

if TYPE_CHECKING:
    import openvino as ov

    from embassay.types import Vectors

AHEAD = 2
"""Requests beyond one a core: the next batches are ready when a core comes free."""
INT8_GROUP = "128"
"""Activations are quantised in groups of this many channels."""

STEP = 8
"""Of the widths of small batches. OpenVINO keeps kernels for each shape that it meets: 20,000 texts of 8 to 40 words in
batches of 1 to 24 rows take 120 MB of them so, and 330 MB with every width as it comes, at the same time for each."""
ATTENTION_APART = ("SNIPPETS_MODE", "DISABLE")
"""An option by which attention is computed by operations of their own, in place of one kernel that is generated for it.
Of 138 and 250 tokens a row takes 6 to 15 % less time so, of 64 as much, of a dozen 5 % more."""

Array = Ids | Lengths
Inputs = Callable[[Ids, Lengths], Mapping[str, Array]]
"""Turns a padded batch into what the graph asks for."""


def own_inputs(ids: Ids, lengths: Lengths) -> Mapping[str, Array]:
    """The inputs of a graph that this engine built: the padded ids, and how many of each row are real."""
    return {"input_ids": ids, "lengths": lengths}


class OpenVinoRuntime:
    """One graph at one precision. Threads may share it."""

    def __init__(
        self,
        graph: ov.Model,
        precision: str,
        inputs: Inputs = own_inputs,
        *,
        longest: int = 0,
        for_long_rows: bool = False,
    ) -> None:
        """`longest`: tokens of a row that the graph takes; 0 where that is not known. `for_long_rows`: compile it for
        rows of more than a hundred tokens, at the cost of short ones."""
        from embassay.engine.quiet_openvino import openvino as ov

        self._core = ov.Core()
        self._graph, self._named, self._longest = graph, inputs, longest
        self._options: dict[str, object] = {"INFERENCE_PRECISION_HINT": "f32" if precision == "f32" else "bf16"}
        if precision == "int8":
            self._options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = INT8_GROUP
            if "BF16" not in cpu_capabilities():
                self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._for_long_rows = for_long_rows
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
            options["INFERENCE_NUM_THREADS"] = cpu_count()
            if self._for_long_rows:
                with suppress(RuntimeError):  # the library does not document it, and a version of it may not have it
                    return self._core.compile_model(self._graph, "CPU", dict([*options.items(), ATTENTION_APART]))
            return self._core.compile_model(self._graph, "CPU", options)

    def once(self, batch: Batch) -> Vectors:
        """One small batch as fast as possible, all cores on it. Shape (len(batch), dimensions)."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._latency.create_infer_request()
        request.infer(self._inputs(batch, self._width(batch)))
        return np.array(request.get_output_tensor(0).data)

    def _width(self, batch: Batch) -> int:
        """The columns of a batch: those of its longest row, and of several rows a few more, up to the next `STEP`."""
        width = max(map(len, batch))
        return width if len(batch) == 1 else max(width, min(-(-width // STEP) * STEP, self._longest))

    def queue(self) -> OpenVinoQueue:
        """A queue for many batches, one stream a core. Not to be shared between threads."""
        return OpenVinoQueue(self._throughput, self._inputs)

    def _inputs(self, batch: Batch, width: int) -> Mapping[str, Array]:
        return self._named(*padded(batch, width))


class OpenVinoQueue:
    """Keeps every core busy with batches and writes their rows where they belong.

    Requests are waited for in the order they were started, by the thread that uses the queue. OpenVINO's own
    AsyncInferQueue calls back into Python instead, and its threads can then wait for the interpreter's lock
    while the interpreter, dropping the model, waits for them: a deadlock that was seen.
    """

    def __init__(self, compiled: ov.CompiledModel, inputs: Callable[[Batch, int], Mapping[str, Array]]) -> None:
        self._inputs = inputs
        self._idle = [compiled.create_infer_request() for _ in range(cpu_count() + AHEAD)]
        self._busy: deque[tuple[ov.InferRequest, Sequence[int], Target]] = deque()

    def submit(self, batch: Batch, width: int, rows: Sequence[int], into: Target) -> None:
        """Start a batch. It waits only while every request is busy."""
        inputs = self._inputs(batch, width)
        if not self._idle:
            self._collect()
        request = self._idle.pop()
        request.start_async(inputs)
        self._busy.append((request, rows, into))

    def wait(self) -> None:
        """Wait for the batch that was started first."""
        if self._busy:
            self._collect()

    def close(self) -> None:
        """Wait for batches that are still being computed."""
        while self._busy:
            self._collect()

    def _collect(self) -> None:
        request, rows, into = self._busy.popleft()
        request.wait()
        into.write(rows, request.get_output_tensor(0).data)
        self._idle.append(request)


def cpu_capabilities() -> frozenset[str]:
    """What OpenVINO finds in this CPU, e.g. ``BF16``, ``INT8``."""
    from embassay.engine.quiet_openvino import openvino as ov

    return frozenset(ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
