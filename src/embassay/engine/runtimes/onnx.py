"""ONNX Runtime: the ONNX file of a repository, with the head of the model computed by numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay import remedy
from embassay.engine.foreign import HIDDEN_STATES
from embassay.engine.heads.arrays import NumpyArrays
from embassay.engine.runtimes.base import Target
from embassay.engine.runtimes.padding import Batch, kept, named_inputs, padded
from embassay.engine.unsupported import damaged
from embassay.errors import PluginError

if TYPE_CHECKING:
    from embassay.engine.heads.base import Output
    from embassay.types import Vectors


class OnnxRuntime:
    """An ONNX file, opened as a session of ONNX Runtime. Threads may share it."""

    def __init__(self, file: Path, head: Output, providers: Sequence[str]) -> None:
        """`providers`: execution providers, best first; none: whatever is there.

        Raises PluginError or ModelUnsupported.
        """
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise PluginError("ONNX files need onnxruntime.", remedy=remedy.install("embassay[onnx]")) from error
        try:
            self._session = ort.InferenceSession(str(file), providers=list(providers) or ort.get_available_providers())
        except Exception as error:  # the runtime has no base class of its own
            raise damaged(f"{file} cannot be opened: {str(error).splitlines()[0]}") from error
        self._inputs = [port.name for port in self._session.get_inputs()]
        outputs = [port.name for port in self._session.get_outputs()]
        self._output = next((name for name in outputs if name in HIDDEN_STATES), outputs[0])
        self._head, self._arrays = head, NumpyArrays()

    def once(self, batch: Batch) -> Vectors:
        """float32 (len(batch), dimensions). A file that pools by itself gives vectors instead of states."""
        ids, lengths = padded(batch, max(map(len, batch)))
        (hidden,) = self._session.run([self._output], named_inputs(ids, lengths, self._inputs))
        states = np.asarray(hidden, np.float32)
        if states.ndim == 2:
            return np.asarray(self._head.pooled_already(self._arrays, states))
        return np.asarray(self._head.output(self._arrays, states, kept(ids, lengths).astype(np.float32)))

    def queue(self) -> OnnxQueue:
        """A queue for many batches."""
        return OnnxQueue(self)


class OnnxQueue:
    """Batches one after the other: the session spreads each over the cores by itself."""

    def __init__(self, runtime: OnnxRuntime) -> None:
        self._runtime = runtime

    def submit(self, batch: Batch, width: int, rows: Sequence[int], into: Target) -> None:  # noqa: ARG002 - as queues do
        """Compute the batch before this returns."""
        into.write(rows, self._runtime.once(batch))

    def wait(self) -> None:
        """Every batch is there already."""

    def close(self) -> None:
        """There is nothing to wait for."""
