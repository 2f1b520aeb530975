"""The local engine: sentence-transformers models on this machine's CPU, without torch.

``model_id`` is a Hugging Face id or a folder. Nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.alongside import in_step
from embassay.embedders.base import Embedder
from embassay.embedders.settings import Settings as CommonSettings
from embassay.embedders.texts.blocks import is_blank, join, with_zeros
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Precision, Role, check_role

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.engine.engine import Block
    from embassay.engine.load import LocalModel
    from embassay.engine.tokens import Tokens


class Settings(CommonSettings, frozen=True, kw_only=True):
    model_id: str = DEFAULT_MODEL
    """A Hugging Face id or a folder."""
    offline: bool = False
    """Never ask the hub."""


class LocalEmbedder(Embedder):
    def __init__(self, model: LocalModel) -> None:
        self.model = model

    @cached_property
    def space(self) -> Space:
        return self.model.space

    @property
    def precision(self) -> str:
        return self.model.precision

    @property
    def tokens(self) -> Tokens:
        return self.model.tokens

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        for step in in_step(texts, _spoken, lambda spoken: self._stream(spoken, role, on_long)):
            yield with_zeros(step, self._nothing(role))

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """A few short texts take the engine's short way."""
        check_role(role)
        if not any(map(is_blank, texts)):
            return self._embeddings(self.model.engine.embed(texts, self._prompt(role), on_long), role)
        return super().embed(texts, role, on_long)

    def _stream(self, texts: Iterable[str], role: Role, on_long: OnLong) -> Iterator[Embeddings]:
        for block in self.model.engine.stream(texts, self._prompt(role), on_long):
            yield self._embeddings(block, role)

    def _prompt(self, role: Role) -> str:
        return self.model.spec.prompts.get(role, "")

    def _embeddings(self, block: Block, role: Role) -> Embeddings:
        return Embeddings(block.vectors, block.tokens, block.truncated, self.space, role, self.precision, self.name)

    def _nothing(self, role: Role) -> Embeddings:
        return replace(join([], self.space, role, self.precision), model=self.name)


def _spoken(text: str) -> str | None:
    return None if is_blank(text) else text


def takes(model_id: str) -> bool:
    """The bare name of the provider is a model too: the default one."""
    return True


def open_local(model: str, precision: Precision = "auto", *, offline: bool = False) -> LocalEmbedder:
    """The shipped cards' prompts apply. Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch."""
    from embassay.catalog.catalog import shipped

    return open_embedder(Settings(model_id=model, precision=precision, offline=offline), shipped().get(model))


def open_embedder(settings: Settings, card: ModelCard | None) -> LocalEmbedder:
    """Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch."""
    from embassay.engine.load import load

    return LocalEmbedder(
        load(
            settings.model_id,
            settings.precision,
            offline=settings.offline,
            prompts=partial(settings.prompts, card),
            max_tokens=settings.max_tokens,
        )
    )
