"""From a cross-encoder's name to a running scorer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.engine.classifier_spec import ClassifierSpec, read_classifier_spec
from embassay.engine.encoder import Encoder
from embassay.engine.heads.pooled import Head
from embassay.engine.heads.steps import DenseLayer
from embassay.engine.identity import digest_of
from embassay.engine.layouts import TYPES
from embassay.engine.load import resolved, tokens_of
from embassay.engine.locate import locate
from embassay.engine.sources import BuiltGraph
from embassay.engine.tokens import Tokens
from embassay.engine.unsupported import ELSEWHERE, damaged, needs_torch
from embassay.engine.weights import PICKLED, Tensor, classifier_tensors, encoder_tensors, weight_files
from embassay.errors import ModelUnsupported
from embassay.types import Precision, check_precision

if TYPE_CHECKING:
    from embassay.engine.scorer import Scorer

SERVED = "Serve it with text-embeddings-inference or vLLM, and name that server as the reranker."
FIRST_TOKEN = ("cls",)
"""What every classifier of these architectures reads."""


@dataclass
class LocalClassifier:
    """A cross-encoder found on this machine. Its files are read, and its graph is compiled, when it first scores."""

    spec: ClassifierSpec
    requested: Precision
    max_tokens: int
    """Of a pair, special tokens included."""
    activation: str
    """What scores are passed through; empty: what the reference takes."""
    _loading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer with the limit of a pair."""
        return tokens_of(self.spec, self.max_tokens)

    @cached_property
    def precision(self) -> str:
        """``auto`` resolved: bf16 where the CPU has it, else f32."""
        return resolved(self.requested)

    @cached_property
    def labels(self) -> Sequence[str]:
        """The names of its labels, in the order of the columns of its scores. Raises ModelUnsupported."""
        with _as_reranker():
            return self._labels()

    @cached_property
    def identity(self) -> str:
        """SHA-256, in hex, of all that is read and set to make scores, the precision included."""
        with _as_reranker():
            weights, encoder = self._source.identity()
            said = [weights, encoder, self._head, self.tokens.identity, self.tokens.truncation, self.max_tokens]
            return digest_of([*said, self.precision, self.spec.prompt])

    @property
    def scorer(self) -> Scorer:
        """The scorer, with its graph built. Raises ModelUnsupported, or DigestMismatch for files that change."""
        with self._loading, _as_reranker():
            return self._scorer

    def release(self) -> None:
        """Give back the compiled graph and the files; they are read again when they are next needed."""
        with self._loading:
            for name, made in vars(type(self)).items():
                if isinstance(made, cached_property):
                    vars(self).pop(name, None)

    @cached_property
    def _scorer(self) -> Scorer:
        from embassay.engine.pairs import Pairs
        from embassay.engine.scorer import Scorer

        source, model = self._source, self.spec.id
        runtime = source.runtime(Head(model, FIRST_TOKEN), self.precision, self.max_tokens, for_long_rows=True)
        pairs = Pairs(self.tokens, model, source.vocabulary or 0, self._types)
        if self.tokens.read.padding == "left" and self._encoder.padding is None:
            raise needs_torch(f"{model}: its texts are padded on the left, which moves their positions.")
        return Scorer(pairs, runtime, self._encoder.width, self._head, self.spec.prompt)

    @cached_property
    def _files(self) -> Sequence[Path]:
        files = weight_files(self.spec.folder)
        if not files and any((self.spec.folder / name).is_file() for name in PICKLED):
            raise needs_torch(
                f"{self.spec.id}: its weights are pickled ({PICKLED[0]}), which could run code, and are not read."
            )
        if not files:
            raise damaged(f"{self.spec.id}: {self.spec.folder} holds no weights (model.safetensors).")
        return files

    @cached_property
    def _encoder(self) -> Encoder:
        encoder = self.spec.encoder()
        return replace(encoder, typed=True) if self._types_of(encoder) > 1 else encoder

    @property
    def _types(self) -> int:
        return 2 if self._encoder.typed else 1

    def _types_of(self, encoder: Encoder) -> int:
        """How many types of token its weights tell apart."""
        tensors: Mapping[str, Tensor] = encoder_tensors(self._files, encoder, self.spec.id)
        return tensors[TYPES].shape[0] if TYPES in tensors else 1

    @cached_property
    def _source(self) -> BuiltGraph:
        return BuiltGraph(self.spec.id, self._encoder, self._files)

    @cached_property
    def _head(self) -> Head:
        """The layers of the classifier, and what its scores are passed through."""
        layers = self.spec.encoder().layout.classifier
        tensors = classifier_tensors(self._files, self.spec.encoder(), self.spec.id)
        names = [name for name, _ in layers]
        count = tensors[f"{names[-1]}.weight"].shape[0]
        usual = self.spec.activation or ("Sigmoid" if count == 1 else "Identity")
        activations = [*(activation for _, activation in layers[:-1]), self.activation or usual]
        steps = [
            DenseLayer(tensors[f"{name}.weight"].values().copy(), tensors[f"{name}.bias"].values().copy(), activation)
            for name, activation in zip(names, activations, strict=True)
        ]
        return Head(self.spec.id, FIRST_TOKEN, steps)

    def _labels(self) -> Sequence[str]:
        count = self._head.width(self._encoder.width)
        stated = self.spec.labels
        if stated is not None and len(stated) != count:
            raise damaged(
                f"{self.spec.id}: its classifier has {count} labels, its configuration says {len(stated)} "
                f"({', '.join(stated)})."
            )
        return stated if stated is not None else [f"LABEL_{at}" for at in range(count)]


def load_classifier(
    model: str,
    precision: Precision = "auto",
    *,
    offline: bool = False,
    max_tokens: int | None = None,
    activation: str = "",
) -> LocalClassifier:
    """Find `model` (an id or a folder) and read what it says of itself.

    `max_tokens` lowers the limit of a pair; `activation` takes the place of what its scores are passed through.
    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    check_precision(precision)
    with _as_reranker():
        spec = read_classifier_spec(model, locate(model, offline=offline, read=read_classifier_spec))
    limit = min(spec.max_tokens, max_tokens or spec.max_tokens)
    return LocalClassifier(spec, precision, limit, activation)


@contextmanager
def _as_reranker() -> Iterator[None]:
    """What the engine cannot run, others can: who, is another matter for a cross-encoder than for an embedder."""
    try:
        yield
    except ModelUnsupported as error:
        if error.remedy != ELSEWHERE:
            raise
        raise ModelUnsupported(error.message, remedy=SERVED) from error
