"""From a model's name to a running engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.engine.foreign import GRAPH_FILES, companion_files, graph_file
from embassay.engine.layouts import LAYOUTS
from embassay.engine.locate import KNOWN_DIGESTS, locate
from embassay.engine.spec import ModelSpec, read_spec
from embassay.engine.tokens import Tokens
from embassay.engine.weights import read_weights, weight_files, weights_digest
from embassay.errors import DigestMismatch, ModelUnsupported, UsageError
from embassay.space import Space

if TYPE_CHECKING:
    from embassay.engine.engine import Engine
    from embassay.engine.runtimes.openvino import Runtime
    from embassay.types import Precision, Vectors

PRECISIONS = ("auto", "f32", "bf16", "int8")


@dataclass
class LocalModel:
    """A model found on this machine. The tokenizer is cheap; the engine is compiled when first used."""

    spec: ModelSpec
    requested: Precision = "auto"

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.spec.folder, self.spec.max_tokens, lower_case=self.spec.lower_case)

    @cached_property
    def precision(self) -> str:
        """``auto`` resolved: bf16 where the CPU has it, else f32."""
        if self.requested != "auto":
            return self.requested
        from embassay.engine.runtimes.openvino import cpu_capabilities

        return "bf16" if "BF16" in cpu_capabilities() else "f32"

    @cached_property
    def space(self) -> Space:
        spec = self.spec
        return Space(
            model=spec.id,
            weights=self.digest,
            dimensions=self.dimensions,
            pooling=spec.pooling,
            normalised=spec.normalise,
            query_prompt=spec.prompts.get("query", ""),
            document_prompt=spec.prompts.get("document", ""),
        )

    @cached_property
    def dimensions(self) -> int:
        if self._dense:
            return int(self._dense[-1]["linear.weight"].shape[0])
        config = self.spec.config
        return int(config.get("hidden_size") or config["dim"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights. Raises DigestMismatch where another one is known for this model."""
        digest = weights_digest(self._weight_files)
        known = KNOWN_DIGESTS.get(self.spec.id)
        if known and digest != known:
            raise DigestMismatch(
                f"{self._weight_files[0]} has SHA-256 {digest[:12]}, {self.spec.id} has {known[:12]}.",
                remedy="Delete that copy and install the model again.",
            )
        return digest

    @cached_property
    def engine(self) -> Engine:
        from embassay.engine.engine import Engine

        with ThreadPoolExecutor(1) as pool:  # hashing leaves the interpreter free to build the graph
            digest = pool.submit(lambda: self.digest)
            runtime = self._runtime()
            digest.result()
        return Engine(self.tokens, runtime, self.dimensions, normalise=self.spec.normalise)

    @cached_property
    def _weight_files(self) -> list[Path]:
        files = weight_files(self.spec.folder)
        if self.spec.architecture in LAYOUTS and files:
            return files
        graph = graph_file(self.spec.folder)
        if graph is None:
            raise ModelUnsupported(
                f"{self.spec.id}: the local engine builds {', '.join(LAYOUTS)}, this is {self.spec.architecture!r}, "
                f"and its folder has none of {', '.join(GRAPH_FILES)}.",
                remedy=remedy.install("embassay[torch]", say="Run it as sentence-transformers/ID: {}."),
            )
        return companion_files(graph)

    @cached_property
    def _dense(self) -> list[Mapping[str, Vectors]]:
        return [read_weights(weight_files(Path(layer.folder))) for layer in self.spec.dense]

    def _runtime(self) -> Runtime:
        from embassay.engine.runtimes.openvino import Runtime

        if self._weight_files[0].suffix == ".safetensors":
            from embassay.engine.graph import build_graph

            tensors = read_weights(self._weight_files)
            graph = build_graph(self.spec, tensors, self._dense, int8=self.precision == "int8")
            return Runtime(graph, self.precision)
        from embassay.engine.foreign import read_graph

        graph, feed = read_graph(self._weight_files[0], self.spec, self._dense)
        return Runtime(graph, self.precision, feed)


def load(
    model: str,
    precision: Precision = "auto",
    *,
    offline: bool = False,
    prompts: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None,
    max_tokens: int | None = None,
) -> LocalModel:
    """Find `model` (an id or a folder) and read what it says of itself.

    `prompts` is given the repository's own, role to prompt, and returns those to use; `max_tokens` lowers the limit.
    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not one of {', '.join(PRECISIONS)}.")
    spec = read_spec(model, locate(model, offline=offline))
    if prompts:
        spec = replace(spec, prompts=prompts(spec.prompts))
    if max_tokens:
        spec = replace(spec, max_tokens=min(spec.max_tokens, max_tokens))
    return LocalModel(spec, precision)
