"""sentence-transformers on torch, on the GPU where there is one: for architectures that the local engine cannot run.

Needs the extra ``torch``: ``pip install '.[torch]'`` in the checkout. ``trust_remote_code`` runs code from the model's
repository; it is off. A model that the local engine runs too has the same space there: vectors of both may be compared.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.embedders.base import Embedder
from embassay.embedders.settings import Settings as CommonSettings
from embassay.embedders.texts.blocks import is_blank, windows
from embassay.embedders.texts.longtext import parts_of
from embassay.errors import ModelNotFound, ModelUnsupported, PluginError
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role, check_role
from embassay.vectors import mean_of_parts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from embassay.catalog.card import ModelCard
    from embassay.types import Counts

ENCODED_TEXTS = 1024
"""Texts that are counted and handed to the library at once; it sorts them by length."""
DTYPES = {"auto": None, "f32": "float32", "bf16": "bfloat16"}


class Settings(CommonSettings, frozen=True, kw_only=True):
    device: str = ""
    """cuda, cuda:1, mps or cpu; default: the best there is."""
    batch_size: int = 32
    """Texts computed at once."""
    trust_remote_code: bool = False
    """Run code from the model's repository."""

    RUNS_CODE = ("trust_remote_code",)


class SentenceTransformersEmbedder(Embedder):
    def __init__(self, settings: Settings, card: ModelCard | None) -> None:
        self._settings, self._card = settings, card
        self._lock = threading.RLock()

    @cached_property
    def space(self) -> Space:
        return self._local_space() or self._own_space()

    @property
    def precision(self) -> str:
        return "f32" if self._settings.precision == "auto" else self._settings.precision

    @cached_property
    def tokens(self) -> Counts:
        limit = self._model.max_seq_length or 1 << 30
        return _Tokens(self._model.tokenizer, min(limit, self._settings.max_tokens or limit))

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        prompt = self._prompts.get(role, "")
        start = 0
        for window in windows(texts, ENCODED_TEXTS):
            yield self._embed(window, role, prompt, on_long, start)
            start += len(window)

    def _embed(self, texts: Sequence[str], role: Role, prompt: str, on_long: OnLong, start: int) -> Embeddings:
        import numpy as np

        counts = self.tokens.count([prompt + text for text in texts])
        counts = [0 if is_blank(text) else n for text, n in zip(texts, counts, strict=True)]
        parts = [p for p in parts_of(texts, counts, self.tokens, prompt, on_long, start) if counts[p.owner]]
        vectors = np.zeros((len(texts), self.space.dimensions), np.float32)
        if parts:
            with self._lock:
                made = self._model.encode(
                    [part.text for part in parts],
                    prompt="",  # it stands in the text: one way for all policies
                    batch_size=self._settings.batch_size,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            owners, weights = [p.owner for p in parts], [p.tokens for p in parts]
            made = np.asarray(made, np.float32)
            vectors = mean_of_parts(made, owners, weights, len(texts), normalised=self.space.normalised)
        truncated = [False] * len(texts)
        for part in parts:
            truncated[part.owner] |= part.truncated
        return Embeddings(vectors, counts, truncated, self.space, role, self.precision, self.name)

    @cached_property
    def _model(self) -> Any:
        """Raises ModelNotFound, ModelUnsupported or PluginError."""
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise PluginError(
                f"the provider sentence-transformers needs {error.name}.", remedy=remedy.install("embassay[torch]")
            ) from error
        precision = self._settings.precision
        if precision not in DTYPES:
            raise ModelUnsupported(f"sentence-transformers has no precision {precision}.", remedy="Use f32 or bf16.")
        dtype = DTYPES[precision]
        _hush()
        with self._lock:
            try:
                model = SentenceTransformer(
                    str(self._folder or self._settings.model_id),
                    device=self._settings.device or None,
                    trust_remote_code=self._settings.trust_remote_code,
                    local_files_only=self._folder is not None,
                    model_kwargs={"torch_dtype": dtype} if dtype else None,
                )
            except OSError as error:
                message = str(error).strip().splitlines()[0]
                raise ModelNotFound(f"{self._settings.model_id}: {message}") from error
            except (ValueError, ImportError, RuntimeError, KeyError, AttributeError) as error:
                asks = "trust" in str(error)
                trust = remedy.setting("trust_remote_code", "true", say="Set {} if you trust its repository.")
                message = f"{self._settings.model_id} cannot be opened: {str(error).strip().splitlines()[0]}"
                raise ModelUnsupported(message, remedy=trust if asks else "") from error
        return model

    @cached_property
    def _folder(self) -> Any:
        """Where the engine would find it too; None: sentence-transformers looks by itself."""
        from embassay.engine.locate import locate

        try:
            return locate(self._settings.model_id, offline=True)
        except ModelNotFound:
            return None

    @cached_property
    def _prompts(self) -> dict[str, str]:
        stored = dict(self._model.prompts or {})
        repository = {
            "query": stored.get("query", ""),
            "document": stored.get("document", "") or stored.get("passage", ""),
        }
        return self._settings.prompts(self._card, repository)

    def _local_space(self) -> Space | None:
        """As the local engine says it, where it knows the model."""
        from functools import partial

        from embassay.engine.load import load

        if self._folder is None:
            return None
        try:
            space = load(str(self._folder), prompts=partial(self._settings.prompts, self._card)).space
        except ModelUnsupported:
            return None
        from dataclasses import replace

        return replace(space, model=self._settings.model_id)

    def _own_space(self) -> Space:
        from embassay.engine.weights import weight_files, weights_digest

        model = self._model
        names = [type(module).__name__ for module in model]
        files = weight_files(self._folder) if self._folder else []
        commit = getattr(getattr(model[0], "auto_model", None), "config", None)
        return Space(
            model=self._settings.model_id,
            weights=weights_digest(files) if files else str(getattr(commit, "_commit_hash", None) or "unknown"),
            dimensions=int(model.get_sentence_embedding_dimension()),
            pooling=(self._card.pooling if self._card else "") or "+".join(names),
            normalised="Normalize" in names,
            query_prompt=self._prompts.get("query", ""),
            document_prompt=self._prompts.get("document", ""),
        )


class _Tokens:
    """The model's own tokenizer, without the cut."""

    def __init__(self, tokenizer: Any, max_tokens: int) -> None:
        from tokenizers import Tokenizer

        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelUnsupported("its tokenizer has no compiled form, so that chunks cannot be cut to its limit.")
        self.tokenizer: Tokenizer = Tokenizer.from_str(backend.to_str())  # a copy: the model keeps its own settings
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.max_tokens = max_tokens

    identity = ""

    @property
    def safe_tokens(self) -> int:
        return self.max_tokens

    @cached_property
    def special(self) -> int:
        return self.tokenizer.num_special_tokens_to_add(is_pair=False)

    def count(self, texts: Sequence[str]) -> list[int]:
        from embassay.text import encodable

        return [len(e.ids) for e in self.tokenizer.encode_batch_fast([encodable(text) for text in texts])]


def _hush() -> None:
    """No progress bar of its own for loading weights."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def takes(model_id: str) -> bool:
    """``sentence-transformers/all-MiniLM-L6-v2`` is a Hugging Face id, and names no model of this provider."""
    return "/" in model_id


def open_embedder(settings: Settings, card: ModelCard | None) -> SentenceTransformersEmbedder:
    """The model in `settings`, run by PyTorch. It is imported and loaded when it is first needed."""
    return SentenceTransformersEmbedder(settings, card)
