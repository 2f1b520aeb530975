"""sentence-transformers on torch, on the GPU where there is one: for architectures that the local engine cannot run.

Needs the extra ``torch``: ``pip install '.[torch]'`` in the checkout. ``trust_remote_code`` runs code from the model's
repository; it is off. A model that the local engine runs too has the same space there: vectors of both may be compared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay import remedy
from embassay.embedders.base import Embedder
from embassay.embedders.settings import Settings as CommonSettings
from embassay.embedders.texts.blocks import is_blank, windows
from embassay.embedders.texts.longtext import TextPart, parts_of
from embassay.errors import ModelNotFound, ModelUnsupported, PluginError
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role, check_role
from embassay.vectors import mean_of_parts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from embassay.catalog.card import ModelCard
    from embassay.engine.load import LocalModel
    from embassay.types import Counts

ENCODED_TEXTS, ENCODED_SECONDS = 1024, 1.0
"""Texts that are counted and handed to the library at once, which sorts them by length: so many, or about as many as it
takes a second for. What it has not given back is lost when a run is stopped."""
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
        """That of the local engine where it makes the same vectors, so that both may be compared."""
        return replace(self._local.space, model=self._settings.model_id) if self._local else self._own_space()

    @property
    def former_space(self) -> Space:
        """That of the local engine then, which stood for whatever it knew the architecture of."""
        return replace(self._local.former_space, model=self._settings.model_id) if self._local else self.space

    @property
    def precision(self) -> str:
        return "f32" if self._settings.precision == "auto" else self._settings.precision

    @cached_property
    def tokens(self) -> Counts:
        own = self._model.max_seq_length or 1 << 30
        limit = self._local.max_tokens if self._local else min(own, self._settings.max_tokens or own)
        if limit != own:
            self._model.max_seq_length = limit
        return _Tokens(self._model.tokenizer, limit)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        prompt = self._prompts.get(role, "")
        source, start, count = iter(texts), 0, 2 * self._settings.batch_size
        while window := next(windows(source, count), None):
            began = time.monotonic()
            made = self._embed(window, role, prompt, on_long, start)
            rate = len(window) / max(time.monotonic() - began, 1e-6)
            start += len(window)
            count = min(ENCODED_TEXTS, max(2 * self._settings.batch_size, int(rate * ENCODED_SECONDS)))
            yield made

    def _embed(self, texts: Sequence[str], role: Role, prompt: str, on_long: OnLong, start: int) -> Embeddings:
        import numpy as np

        counts = self.tokens.count([prompt + text for text in texts])
        counts = [0 if is_blank(text) else n for text, n in zip(texts, counts, strict=True)]
        parts = [p for p in self._parts(texts, counts, prompt, on_long, start) if counts[p.owner]]
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

    def _parts(
        self, texts: Sequence[str], counts: Sequence[int], prompt: str, on_long: OnLong, start: int
    ) -> Iterable[TextPart]:
        """What the library is given: whole texts where it may cut them, between tokens as the local engine does."""
        if on_long != "truncate":
            return parts_of(texts, counts, self.tokens, prompt, on_long, start)
        limit = self.tokens.max_tokens
        return [
            TextPart(owner, prompt + text, min(count, limit), truncated=count > limit)
            for owner, (text, count) in enumerate(zip(texts, counts, strict=True))
        ]

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
    def _prompts(self) -> Mapping[str, str]:
        from embassay.engine.prompts import role_prompts

        stored = {name: prompt for name, prompt in (self._model.prompts or {}).items() if prompt}
        default = stored.get(self._model.default_prompt_name or "", "")
        choose = partial(self._settings.prompts, self._card)
        return role_prompts(stored, default).chosen(choose, self._settings.model_id)

    @cached_property
    def _local(self) -> LocalModel | None:
        """The same folder for the local engine; None where that does not make the vectors that are made here."""
        from embassay.engine.load import load

        if self._folder is None or self._settings.trust_remote_code:
            return None
        prompts = partial(self._settings.prompts, self._card)
        measure = self._card.similarity if self._card else ""
        try:
            model = load(str(self._folder), prompts=prompts, max_tokens=self._settings.max_tokens, measure=measure)
            model.check_runnable()
        except ModelUnsupported:
            return None
        return model if model.as_reference else None

    def _own_space(self) -> Space:
        """From the files of all weights, and from the settings of the modules as they were loaded."""
        from embassay.engine.identity import digest_of
        from embassay.engine.tokens import tokenizer_digest

        model = self._model
        modules = [[type(module).__name__, _settings_of(module)] for module in model]
        names = [str(name) for name, _ in modules]
        config = getattr(getattr(model[0], "auto_model", None), "config", None)
        tokens = self.tokens
        return Space(
            model=self._settings.model_id,
            weights=self._weights(getattr(config, "_commit_hash", None)),
            dimensions=int(model.get_sentence_embedding_dimension()),
            pooling=(self._card.pooling if self._card else "") or "+".join(names),
            normalised=names[-1] == "Normalize",
            query_prompt=self._prompts.get("query", ""),
            document_prompt=self._prompts.get("document", ""),
            encoder=digest_of(_plain(config.to_dict() if config else {}, without=_UNREAD)),
            tokenizer=tokenizer_digest(tokens.tokenizer, tokens.frame) if isinstance(tokens, _Tokens) else "",
            layers=digest_of(_plain(modules[1:])),
            max_tokens=tokens.max_tokens,
            truncation=str(getattr(model.tokenizer, "truncation_side", "right")),
            similarity="dot" if model.similarity_fn_name == "dot" and names[-1] != "Normalize" else "cosine",
        )

    def _weights(self, commit: str | None) -> str:
        from embassay.engine.weights import files_digest

        root = self._folder
        files = sorted(file for file in root.rglob("*") if _is_weights(file.relative_to(root))) if root else []
        return files_digest(files) if files else str(commit or "unknown")


_UNREAD = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "_commit_hash", "architectures"})
"""Fields of a configuration that move no vector, or only its precision."""


def _is_weights(file: Path) -> bool:
    """Whether a file of the repository, by its place in it, holds weights that are read."""
    return file.suffix in {".safetensors", ".bin"} and not {"onnx", "openvino"} & set(file.parent.parts)


def _settings_of(module: Any) -> object:
    """The settings that a module of the library tells; the name of its class where it tells none."""
    said = getattr(module, "get_config_dict", None)
    return said() if said else {}


def _plain(value: object, *, without: frozenset[str] = frozenset()) -> object:
    """`value` as JSON has it; what JSON does not have by its name."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items() if key not in without}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


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

    @cached_property
    def frame(self) -> tuple[Sequence[int], Sequence[int]]:
        """Special tokens before and after a text, as far as they can be told from one."""
        whole = self.tokenizer.encode("a")
        own = [i for i, of in enumerate(whole.sequence_ids) if of is not None]
        return (whole.ids[: own[0]], whole.ids[own[-1] + 1 :]) if own else (whole.ids, ())

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
