"""Where the vectors of a model come from: which files hold its weights, and what runs them.

Each source is one way. The files are hashed into the space; nothing is loaded before `runtime` is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embassay.engine.foreign import GRAPH_FILES, companion_files, graph_file
from embassay.engine.layouts import LAYOUTS
from embassay.engine.unsupported import needs_torch
from embassay.engine.weights import read_weights, weight_files
from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    from embassay.engine.heads.pooled import Head
    from embassay.engine.runtimes.base import Runtime
    from embassay.engine.spec import ModelSpec


class WeightSource(Protocol):
    """One way to run a model."""

    @property
    def files(self) -> Sequence[Path]:
        """Every file that holds weights; the first is the one that messages name."""

    def runtime(self, spec: ModelSpec, head: Head, precision: str) -> Runtime:
        """What runs the model at `precision`, loaded. Raises ModelUnsupported or PluginError."""


@dataclass(frozen=True, slots=True)
class BuiltGraph:
    """Weights that the engine builds a graph for."""

    files: Sequence[Path]

    def runtime(self, spec: ModelSpec, head: Head, precision: str) -> Runtime:
        """Build the model's graph from its weights and run it on OpenVINO."""
        from embassay.engine.graph import build_graph
        from embassay.engine.runtimes.openvino import OpenVinoRuntime

        tensors = read_weights(self.files)
        return OpenVinoRuntime(build_graph(spec, tensors, head, int8=precision == "int8"), precision)


@dataclass(frozen=True, slots=True)
class ForeignGraph:
    """A graph that the repository brings, in OpenVINO's format or as ONNX."""

    file: Path

    @property
    def files(self) -> Sequence[Path]:
        """The file of the graph and the files of weights beside it."""
        return companion_files(self.file)

    def runtime(self, spec: ModelSpec, head: Head, precision: str) -> Runtime:  # noqa: ARG002 - as its siblings
        """Run the repository's graph, with `head` on top, on OpenVINO."""
        from embassay.engine.foreign import read_graph
        from embassay.engine.runtimes.openvino import OpenVinoRuntime
        from embassay.engine.runtimes.target import named_inputs

        graph, inputs = read_graph(self.file, head)
        return OpenVinoRuntime(graph, precision, partial(named_inputs, names=inputs))


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """An ONNX file for ONNX Runtime."""

    file: Path
    execution_providers: Sequence[str] = ()
    """Best first; none: whatever is there."""

    @property
    def files(self) -> Sequence[Path]:
        """The ONNX file and the files of weights beside it."""
        return companion_files(self.file)

    def runtime(self, spec: ModelSpec, head: Head, precision: str) -> Runtime:  # noqa: ARG002 - as its siblings
        """Run the file as it is on ONNX Runtime, and compute `head` behind it."""
        from embassay.engine.runtimes.onnx import OnnxRuntime

        return OnnxRuntime(self.file, head, self.execution_providers)


def usual_source(spec: ModelSpec) -> WeightSource:
    """Weights of an architecture that has a layout, else the repository's own graph. Raises ModelUnsupported."""
    files = weight_files(spec.folder)
    if spec.architecture in LAYOUTS and files:
        return BuiltGraph(files)
    graph = graph_file(spec.folder)
    if graph is None:
        raise needs_torch(
            f"{spec.id}: the local engine builds {', '.join(LAYOUTS)}, this is {spec.architecture!r}, "
            f"and its folder has none of {', '.join(GRAPH_FILES)}."
        )
    return ForeignGraph(graph)


def onnx_source(model: str, root: Path, file: str, execution_providers: Sequence[str]) -> OnnxFile:
    """`file` of the repository in `root`, or one of the usual names where it is empty. Raises ModelUnsupported."""
    names = [file] if file else [name for name in GRAPH_FILES if name.endswith(".onnx")]
    there = next((root / name for name in names if (root / name).is_file()), None)
    if there is None:
        raise ModelUnsupported(f"{model} has no {' or '.join(names)} in {root}.", remedy="Use the provider local.")
    return OnnxFile(there, execution_providers)
