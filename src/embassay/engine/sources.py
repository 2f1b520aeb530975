"""Where the vectors of a model come from: which files hold its weights, and what runs them.

Each source is one way, and is what it reads: its identity is a digest of that. Nothing is loaded before it is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embassay.engine.encoder import Encoder
from embassay.engine.foreign import GRAPH_FILES, companion_files, graph_file
from embassay.engine.identity import digest_of
from embassay.engine.layouts import LAYOUTS, WORDS
from embassay.engine.unsupported import needs_torch
from embassay.engine.unwritten import Unwritten, changed
from embassay.engine.weights import PICKLED, Tensor, encoder_tensors, files_digest, tensors_digest, weight_files
from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    from embassay.engine.heads.base import Output
    from embassay.engine.runtimes.base import Runtime
    from embassay.engine.spec import ModelSpec


class WeightSource(Protocol):
    """One way to run a model."""

    @property
    def as_reference(self) -> bool:
        """Whether sentence-transformers makes the same vectors of the same folder."""

    @property
    def files(self) -> Sequence[Path]:
        """Every file that holds weights; the first is the one that messages name."""

    @property
    def vocabulary(self) -> int | None:
        """How many token ids it has vectors for; None where that is not known, or not yet, without a runtime."""

    def identity(self) -> tuple[str, str]:
        """Digests of its weights, and of the settings that its encoder is built with; empty where there are none."""

    def runtime(self, head: Output, precision: str, max_tokens: int) -> Runtime:
        """What runs the model at `precision`, loaded. Raises ModelUnsupported, DigestMismatch or PluginError."""

    def check(self) -> None:
        """Raises DigestMismatch where what its runtime reads is no longer what its identity was made of."""


class BuiltGraph:
    """Weights that the engine builds a graph for."""

    as_reference = True

    def __init__(self, model: str, encoder: Encoder, files: Sequence[Path]) -> None:
        self.model, self.encoder, self.files = model, encoder, files
        self._lock = threading.Lock()
        self._tensors: Mapping[str, Tensor] = {}
        self._written = Unwritten(files)
        self._uses_left = 2
        self._digest = ""
        self.vocabulary: int | None = None

    def identity(self) -> tuple[str, str]:
        """Digests of the tensors that are used, and of the encoder's settings."""
        with self._used() as tensors:
            self._digest = tensors_digest(tensors)
            return self._digest, digest_of(self.encoder)

    @contextmanager
    def _used(self) -> Iterator[Mapping[str, Tensor]]:
        """What the graph is built from, and nothing else of the files.

        It is read once and used twice, hashed and built from, so that both have the same bytes even where other files
        take their place meanwhile; after that the files are let go. Raises DigestMismatch where they are written to.
        """
        self._written.check_mapped(self.files)
        with self._lock:
            tensors = self._tensors or encoder_tensors(self.files, self.encoder, self.model)
            self._uses_left -= 1
            self._tensors = tensors if self._uses_left > 0 else {}
        yield tensors
        self._written.check_mapped(self.files)

    def runtime(self, head: Output, precision: str, max_tokens: int, *, for_long_rows: bool = False) -> Runtime:
        """Build the model's graph from its weights and run it on OpenVINO, see there for `for_long_rows`."""
        from embassay.engine.graph import build_graph
        from embassay.engine.runtimes.openvino import OpenVinoRuntime

        anew = self._uses_left <= 0
        with self._used() as tensors:
            if anew and self._digest != tensors_digest(tensors):
                raise changed(self.files[0])
            self.vocabulary = tensors[WORDS].shape[0]
            graph = build_graph(self.encoder, tensors, head, max_tokens, int8=precision == "int8")
        return OpenVinoRuntime(graph, precision, longest=max_tokens, for_long_rows=for_long_rows)

    def check(self) -> None:
        """There is nothing to check: the graph has copies of the tensors."""


@dataclass(frozen=True, kw_only=True)
class _GraphFile:
    """A graph that somebody else has written: its files are all that is read, and are mapped while it runs."""

    file: Path
    as_reference: bool = False
    vocabulary: int | None = None

    @cached_property
    def files(self) -> Sequence[Path]:
        """The file of the graph and the files of weights beside it."""
        return companion_files(self.file)

    def identity(self) -> tuple[str, str]:
        """The digest of the files, which are all that is read; there are no settings besides."""
        self._written.check_paths()
        return files_digest(self.files), ""

    def check(self) -> None:
        """What runs it reads the graph and maps the weights beside it: see `Unwritten`."""
        self._written.check_mapped(self.files[1:])

    @cached_property
    def _written(self) -> Unwritten:
        return Unwritten(self.files)


class ForeignGraph(_GraphFile):
    """A graph that the repository brings, in OpenVINO's format or as ONNX."""

    def runtime(self, head: Output, precision: str, max_tokens: int) -> Runtime:  # noqa: ARG002 - as its siblings
        """Run the repository's graph, with `head` on top, on OpenVINO."""
        from embassay.engine.foreign import read_graph
        from embassay.engine.runtimes.openvino import OpenVinoRuntime
        from embassay.engine.runtimes.padding import named_inputs

        graph, inputs = read_graph(self.file, head)
        self._written.check_paths()
        return OpenVinoRuntime(graph, precision, partial(named_inputs, names=inputs))


@dataclass(frozen=True, kw_only=True)
class OnnxFile(_GraphFile):
    """An ONNX file for ONNX Runtime."""

    execution_providers: Sequence[str] = ()
    """Best first; none: whatever is there."""

    def runtime(self, head: Output, precision: str, max_tokens: int) -> Runtime:  # noqa: ARG002 - as its siblings
        """Run the file as it is on ONNX Runtime, and compute `head` behind it."""
        from embassay.engine.runtimes.onnx import OnnxRuntime

        runtime = OnnxRuntime(self.file, head, self.execution_providers)
        self._written.check_paths()
        return runtime


def usual_source(spec: ModelSpec) -> WeightSource:
    """Weights of an architecture that has a layout, else the repository's own graph. Raises ModelUnsupported."""
    files = weight_files(spec.folder)
    if spec.architecture in LAYOUTS and files:
        return BuiltGraph(spec.id, spec.encoder(), files)
    graph = graph_file(spec.folder)
    if graph is not None:
        return ForeignGraph(file=graph)
    if spec.architecture in LAYOUTS and any((spec.folder / name).is_file() for name in PICKLED):
        raise needs_torch(f"{spec.id}: its weights are pickled ({PICKLED[0]}), which could run code, and are not read.")
    raise needs_torch(
        f"{spec.id}: the local engine builds {', '.join(LAYOUTS)}, this is {spec.architecture!r}, "
        f"and its folder has neither safetensors for them nor any of {', '.join(GRAPH_FILES)}."
    )


def onnx_source(model: str, root: Path, file: str, execution_providers: Sequence[str]) -> OnnxFile:
    """`file` of the repository in `root`, or one of the usual names where it is empty. Raises ModelUnsupported."""
    names = [file] if file else [name for name in GRAPH_FILES if name.endswith(".onnx")]
    there = next((root / name for name in names if (root / name).is_file()), None)
    if there is None:
        raise ModelUnsupported(f"{model} has no {' or '.join(names)} in {root}.", remedy="Use the provider local.")
    return OnnxFile(file=there, execution_providers=execution_providers)
