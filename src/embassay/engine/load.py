"""From a model's name to a running engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.engine.heads.pooled import Head, Layer
from embassay.engine.locate import KNOWN_DIGESTS, locate
from embassay.engine.sources import WeightSource, onnx_source, usual_source
from embassay.engine.spec import DenseLayer, ModelSpec, read_spec
from embassay.engine.tokens import Tokens
from embassay.engine.weights import read_weights, weight_files, weights_digest
from embassay.errors import DigestMismatch, ModelUnsupported
from embassay.space import Space
from embassay.types import Precision, check_precision

if TYPE_CHECKING:
    from embassay.engine.engine import Engine

Prompts = Callable[[Mapping[str, str]], Mapping[str, str]]
"""From the prompts of a repository, role to prompt, to those that are used."""


@dataclass
class LocalModel:
    """A model found on this machine. The tokenizer is cheap; the engine is compiled when first used."""

    spec: ModelSpec
    requested: Precision = "auto"
    find: Callable[[ModelSpec], WeightSource] = usual_source
    """Finds what runs it; called when that is first needed."""

    @cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer with its limit. It is read from its file when it first counts or encodes."""
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
        """The space of the vectors. It needs the digest, so that the weights are read and hashed once."""
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
        """Numbers in a vector: rows of the last dense layer, else the width of the encoder."""
        if self._layers:
            return int(self._layers[-1].weight.shape[0])
        config = self.spec.config
        return int(config.get("hidden_size") or config["dim"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights. Raises DigestMismatch where another one is known for this model."""
        files = self._source.files
        digest = weights_digest(files)
        known = KNOWN_DIGESTS.get(self.spec.id)
        if known and digest != known:
            raise DigestMismatch(
                f"{files[0]} has SHA-256 {digest[:12]}, {self.spec.id} has {known[:12]}.",
                remedy="Delete that copy and install the model again.",
            )
        return digest

    @cached_property
    def engine(self) -> Engine:
        """The engine, with the graph built and the weights checked. Raises ModelUnsupported or DigestMismatch."""
        from embassay.engine.engine import Engine

        with ThreadPoolExecutor(1) as pool:  # hashing leaves the interpreter free to build the graph
            digest = pool.submit(lambda: self.digest)
            runtime = self._source.runtime(self.spec, self._head, self.precision)
            digest.result()
        return Engine(self.tokens, runtime, self.dimensions, normalise=self.spec.normalise)

    @cached_property
    def _source(self) -> WeightSource:
        return self.find(self.spec)

    @cached_property
    def _head(self) -> Head:
        return Head(self.spec.id, self.spec.pooling, self._layers, self.spec.normalise)

    @cached_property
    def _layers(self) -> list[Layer]:
        return [_layer(dense, self.spec.id) for dense in self.spec.dense]


def _layer(dense: DenseLayer, model: str) -> Layer:
    """Raises ModelUnsupported where a tensor is missing."""
    tensors = read_weights(weight_files(Path(dense.folder)))
    try:
        return Layer(tensors["linear.weight"], tensors["linear.bias"] if dense.bias else None, dense.activation)
    except KeyError as error:
        raise ModelUnsupported(f"{model}: {error.args[0]!r} is missing in {dense.folder}.") from error


def load(
    model: str,
    precision: Precision = "auto",
    *,
    offline: bool = False,
    prompts: Prompts | None = None,
    max_tokens: int | None = None,
) -> LocalModel:
    """Find `model` (an id or a folder) and read what it says of itself.

    `prompts` is given the repository's own, role to prompt, and returns those to use; `max_tokens` lowers the limit.
    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    check_precision(precision)
    return LocalModel(_described(model, locate(model, offline=offline), prompts, max_tokens), precision)


def load_onnx(
    model: str,
    file: str = "",
    execution_providers: Sequence[str] = (),
    *,
    prompts: Prompts | None = None,
    max_tokens: int | None = None,
) -> LocalModel:
    """Find the ONNX file of `model` that ONNX Runtime is to run, see `onnx_source`; the rest is as in `load`.

    Raises ModelNotFound, ModelUnsupported or DownloadFailed.
    """
    root = locate(model)
    source = onnx_source(model, root, file, execution_providers)
    return LocalModel(_described(model, root, prompts, max_tokens), "f32", lambda _: source)


def _described(model: str, root: Path, prompts: Prompts | None, max_tokens: int | None) -> ModelSpec:
    spec = read_spec(model, root)
    if prompts:
        spec = replace(spec, prompts=prompts(spec.prompts))
    if max_tokens:
        spec = replace(spec, max_tokens=min(spec.max_tokens, max_tokens))
    return spec
