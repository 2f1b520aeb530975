"""From a model's name to a running engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from embassay.engine.heads.steps import Normalize, layers_of
from embassay.engine.identity import digest_of
from embassay.engine.locate import KNOWN_DIGESTS, locate
from embassay.engine.prompts import Choice
from embassay.engine.sources import WeightSource, onnx_source, usual_source
from embassay.engine.spec import ModelSpec, read_spec, similarity
from embassay.engine.tokenizing.reading import read_tokenizer
from embassay.engine.tokens import Tokens
from embassay.engine.unsupported import needs_torch
from embassay.engine.weights import files_digest
from embassay.errors import DigestMismatch
from embassay.space import Similarity, Space
from embassay.types import Precision, check_precision

if TYPE_CHECKING:
    from embassay.engine.classifier_spec import ClassifierSpec
    from embassay.engine.engine import Engine
    from embassay.engine.token_states import TokenEngine


@dataclass
class LocalModel:
    """A model found on this machine. The tokenizer is cheap; the engine is compiled when first used."""

    spec: ModelSpec
    requested: Precision
    prompts: Mapping[str, str]
    """Role to prompt; a role without one is absent."""
    max_tokens: int
    """Of one text, special tokens and prompt included."""
    similarity: Similarity
    find: Callable[[ModelSpec], WeightSource] = usual_source
    """Finds what runs it; called when that is first needed."""
    _hashing: Future[tuple[str, str]] | None = field(default=None, repr=False)

    @cached_property
    def tokens(self) -> Tokens:
        """The model's tokenizer with its limit."""
        return tokens_of(self.spec, self.max_tokens)

    @cached_property
    def precision(self) -> str:
        """``auto`` resolved: bf16 where the CPU has it, else f32."""
        return resolved(self.requested)

    @cached_property
    def space(self) -> Space:
        """The space of the vectors: digests of all that is read to make them, which are computed once.

        Raises ModelUnsupported, or DigestMismatch where other weights are known for this model.
        """
        identity = self._identity()
        spec, layers = self.spec, layers_of(self.spec.head.steps)
        tokenizer = self.tokens.identity  # meanwhile the weights are hashed
        weights, encoder = identity.result()
        self._check_known(weights)
        return Space(
            model=spec.id,
            weights=weights,
            dimensions=self.dimensions,
            pooling=spec.pooling,
            normalised=spec.normalised,
            query_prompt=self.prompts.get("query", ""),
            document_prompt=self.prompts.get("document", ""),
            encoder=encoder,
            tokenizer=tokenizer,
            layers=digest_of(layers) if layers else "",
            max_tokens=self.max_tokens,
            truncation=self.tokens.truncation,
            similarity=self.similarity,
        )

    @cached_property
    def former_space(self) -> Space:
        """The space as earlier versions computed it, by which sets that they made are recognised."""
        return Space(
            model=self.spec.id,
            weights=files_digest(self._source.files),
            dimensions=self.dimensions,
            pooling=self.spec.pooling,
            normalised=any(isinstance(step, Normalize) for step in self.spec.head.steps),
            query_prompt=self.prompts.get("query", ""),
            document_prompt=self.prompts.get("document", ""),
        )

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return self.spec.dimensions

    @property
    def as_reference(self) -> bool:
        """Whether sentence-transformers makes the same vectors of the same folder."""
        return self._source.as_reference

    @cached_property
    def engine(self) -> Engine:
        """The engine, with its graph built, and weights that are hashed beside that.

        Raises ModelUnsupported, or DigestMismatch for files that change meanwhile.
        """
        from embassay.engine.engine import Engine

        self._identity()
        self.check_runnable()
        runtime = self._source.runtime(self.spec.head, self.precision, self.max_tokens)
        return Engine(
            self.tokens,
            runtime,
            self.dimensions,
            normalise=self.spec.normalised,
            vocabulary=self._source.vocabulary,
        )

    @cached_property
    def token_engine(self) -> TokenEngine:
        """What makes a vector of each token: the same weights in a graph of their own, without the pooling.

        Raises ModelUnsupported, or DigestMismatch for files that change meanwhile.
        """
        from embassay.engine.heads.tokens import TokenHead
        from embassay.engine.token_states import TokenEngine

        width = self.spec.width
        if width is None:
            raise needs_torch(f"{self.spec.id}: its config.json does not say how wide its encoder is.")
        self._identity().result()
        self.check_runnable()
        runtime = self._source.runtime(TokenHead(self.spec.id), self.precision, self.max_tokens)
        return TokenEngine(self.tokens, runtime, width)

    def release(self) -> None:
        """Let go of what was compiled, which takes most of the memory. It is compiled again when it is next used."""
        for name in ("engine", "token_engine"):
            self.__dict__.pop(name, None)

    @cached_property
    def _source(self) -> WeightSource:
        return self.find(self.spec)

    def _identity(self) -> Future[tuple[str, str]]:
        """The digests of the source, computed by a thread of their own: hashing leaves the interpreter free."""
        if self._hashing is None:
            self._source.check()  # from now on its files have to stay as they are
            pool = ThreadPoolExecutor(1, "identity")
            self._hashing = pool.submit(self._source.identity)
            pool.shutdown(wait=False)
        return self._hashing

    def _check_known(self, weights: str) -> None:
        known = KNOWN_DIGESTS.get(self.spec.id)
        if known and weights != known:
            raise DigestMismatch(
                f"{self._source.files[0]} has weights with SHA-256 {weights[:12]}, {self.spec.id} has {known[:12]}.",
                remedy="Delete that copy and install the model again.",
            )

    def check_current(self) -> None:
        """Raises DigestMismatch where files that are in use have been written to since they were read."""
        self._source.check()

    def check_runnable(self) -> None:
        """Raises ModelUnsupported where the reference would do with the tokens what the engine does not."""
        spec = self.spec
        if not self._source.as_reference:
            return
        if self.tokens.typed:
            raise needs_torch(f"{spec.id}: its tokenizer gives texts another token type than 0.")
        if self.tokens.read.padding == "left" and spec.encoder().padding is None:
            raise needs_torch(f"{spec.id}: its texts are padded on the left, which moves their positions.")


def resolved(precision: Precision) -> str:
    """`precision`, or for ``auto`` what suits this CPU: bf16 where it has it, else f32."""
    if precision != "auto":
        return precision
    from embassay.engine.runtimes.openvino import cpu_capabilities

    return "bf16" if "BF16" in cpu_capabilities() else "f32"


def tokens_of(spec: ModelSpec | ClassifierSpec, max_tokens: int) -> Tokens:
    """The tokenizer of a model, with a limit. It is read from its files when it first counts or encodes."""
    read = partial(
        read_tokenizer, spec.folder, spec.id, spec.architecture, spec.tokenizer_class, lower_case=spec.lower_case
    )
    return Tokens(read, max_tokens, spec.id)


def load(
    model: str,
    precision: Precision = "auto",
    *,
    offline: bool = False,
    prompts: Choice | None = None,
    max_tokens: int | None = None,
    measure: str = "",
) -> LocalModel:
    """Find `model` (an id or a folder) and read what it says of itself.

    `prompts` is given the repository's own, role to prompt, and returns those to use; `max_tokens` lowers the limit;
    `measure` is how its vectors are compared where the repository does not say it.
    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    check_precision(precision)
    spec = read_spec(model, locate(model, offline=offline))
    return _described(spec, precision, prompts, max_tokens, measure, usual_source)


def load_onnx(
    model: str,
    file: str = "",
    execution_providers: Sequence[str] = (),
    *,
    prompts: Choice | None = None,
    max_tokens: int | None = None,
    measure: str = "",
) -> LocalModel:
    """Find the ONNX file of `model` that ONNX Runtime is to run, see `onnx_source`; the rest is as in `load`.

    Raises ModelNotFound, ModelUnsupported or DownloadFailed.
    """
    root = locate(model)
    source = onnx_source(model, root, file, execution_providers)
    return _described(read_spec(model, root), "f32", prompts, max_tokens, measure, lambda _: source)


def _described(
    spec: ModelSpec,
    precision: Precision,
    prompts: Choice | None,
    max_tokens: int | None,
    measure: str,
    find: Callable[[ModelSpec], WeightSource],
) -> LocalModel:
    chosen = spec.stored_prompts.chosen(prompts, spec.id)
    if chosen and not spec.prompt_is_pooled:
        raise needs_torch(f"{spec.id}: the local engine cannot leave a prompt out of the pooling.")
    limit = min(spec.max_tokens, max_tokens or spec.max_tokens)
    return LocalModel(spec, precision, chosen, limit, similarity(spec, measure), find)
