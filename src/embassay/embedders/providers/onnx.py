"""A model repository's own ONNX file on ONNX Runtime, pooled as the repository says.

Needs the extra ``onnx``: ``pip install '.[onnx]'`` in the checkout. The file is part of the space: an optimised or
quantised one is another space until canary texts prove otherwise (see fallback chains).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.providers.local import LocalEmbedder
from embassay.embedders.settings import Settings as CommonSettings
from embassay.errors import ModelUnsupported, PluginError

if TYPE_CHECKING:
    import numpy as np

    from embassay.catalog.card import ModelCard
    from embassay.engine.runtimes.openvino import Target
    from embassay.engine.spec import ModelSpec
    from embassay.types import Vectors


HIDDEN = ("last_hidden_state", "token_embeddings")


class Settings(CommonSettings, frozen=True, kw_only=True):
    file: str = ""
    """In the repository; default: ``onnx/model.onnx``, else ``model.onnx``."""
    providers: list[str] = []
    """ONNX Runtime's execution providers, best first; default: what is there, CUDA before CPU."""


def open_embedder(settings: Settings, card: ModelCard | None) -> LocalEmbedder:
    """Raises ModelNotFound, ModelUnsupported or PluginError."""
    from embassay.engine.foreign import companion_files
    from embassay.engine.load import LocalModel
    from embassay.engine.locate import locate
    from embassay.engine.spec import read_spec

    model = settings.model_id or DEFAULT_MODEL
    folder = locate(model)
    names = [settings.file] if settings.file else ["onnx/model.onnx", "model.onnx"]
    there = [folder / name for name in names if (folder / name).is_file()]
    if not there:
        raise ModelUnsupported(f"{model} has no {' or '.join(names)} in {folder}.", remedy="Use the provider local.")
    file, spec = there[0], read_spec(model, folder)
    spec = replace(spec, prompts=settings.prompts(card, spec.prompts))
    if settings.max_tokens:
        spec = replace(spec, max_tokens=min(spec.max_tokens, settings.max_tokens))

    class OnnxModel(LocalModel):
        """The engine's own model but for the file and what runs it."""

        @cached_property
        def _weight_files(self) -> list[Path]:
            return companion_files(file)

        def _runtime(self) -> Any:
            return _Runtime(file, self.spec, self._dense, settings.providers)

    return LocalEmbedder(OnnxModel(spec, "f32"))


class _Runtime:
    """The file in a session, called as the engine calls its own runtime. Threads may share it."""

    def __init__(
        self, file: Path, spec: ModelSpec, dense: Sequence[Mapping[str, Vectors]], providers: Sequence[str]
    ) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise PluginError(
                "the provider onnx needs onnxruntime.", remedy=remedy.install("embassay[onnx]")
            ) from error
        try:
            self._session = ort.InferenceSession(str(file), providers=list(providers) or ort.get_available_providers())
        except Exception as error:  # the runtime has no base class of its own
            raise ModelUnsupported(f"{file} cannot be opened: {str(error).splitlines()[0]}") from error
        self._inputs = {port.name for port in self._session.get_inputs()}
        outputs = [port.name for port in self._session.get_outputs()]
        self._output = next((name for name in outputs if name in HIDDEN), outputs[0])
        self._spec, self._dense = spec, dense

    def once(self, batch: Sequence[Sequence[int]]) -> Vectors:
        """float32 (len(batch), dimensions)."""
        import numpy as np

        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self._session.run([self._output], {k: v for k, v in given.items() if k in self._inputs})
        return _pooled(np.asarray(hidden, np.float32), mask, self._spec, self._dense)

    def queue(self) -> _Queue:
        return _Queue(self)


class _Queue:
    """Batches one after the other: the session spreads each over the cores by itself."""

    def __init__(self, runtime: _Runtime) -> None:
        self._runtime = runtime

    def submit(self, batch: Sequence[Sequence[int]], width: int, rows: Sequence[int], into: Target) -> None:
        into.write(rows, self._runtime.once(batch))

    def finish(self, target: Target) -> Vectors:
        return target.vectors

    def close(self) -> None:
        pass


def _pooled(
    hidden: Vectors, mask: np.ndarray[Any, Any], spec: ModelSpec, dense: Sequence[Mapping[str, Vectors]]
) -> Vectors:
    """One vector a text from its tokens' (batch, tokens, width), or as they are where the file pools itself."""
    import numpy as np

    vectors = hidden if hidden.ndim == 2 else _POOLINGS[spec.pooling](hidden, mask)
    for layer, weights in zip(spec.dense, dense, strict=True):
        vectors = vectors @ weights["linear.weight"].T
        if layer.bias:
            vectors = vectors + weights["linear.bias"]
        if layer.activation == "Tanh":
            vectors = np.tanh(vectors)
        elif layer.activation != "Identity":
            raise ModelUnsupported(f"{spec.id}: activation {layer.activation!r} is not run here.")
    if spec.normalise:
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors


def _mean(hidden: Vectors, mask: np.ndarray[Any, Any]) -> Vectors:
    weights = mask[:, :, None].astype(hidden.dtype)
    made: Vectors = (hidden * weights).sum(1) / weights.sum(1)
    return made


def _first(hidden: Vectors, mask: np.ndarray[Any, Any]) -> Vectors:
    return hidden[:, 0]


def _last(hidden: Vectors, mask: np.ndarray[Any, Any]) -> Vectors:
    return hidden[range(len(hidden)), mask.sum(1) - 1]


def _max(hidden: Vectors, mask: np.ndarray[Any, Any]) -> Vectors:
    made: Vectors = (hidden - (1 - mask[:, :, None]) * 1e9).astype(hidden.dtype).max(1)
    return made


_POOLINGS = {"mean": _mean, "cls": _first, "last": _last, "max": _max}
