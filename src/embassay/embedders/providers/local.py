"""The local engine: sentence-transformers models on this machine's CPU, without torch.

``model_id`` is a Hugging Face id or a folder. Nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.base import Blanks, Embedder, check_role
from embassay.embedders.prompts import chosen
from embassay.embedders.settings import Settings as CommonSettings
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Precision, Role

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.engine.engine import Block
    from embassay.engine.load import LocalModel
    from embassay.engine.tokens import Tokens


class Settings(CommonSettings, frozen=True, kw_only=True):
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
        blanks = Blanks()
        for block in self.model.engine.stream(blanks.watch(texts), self._prompt(role), on_long):
            yield blanks.clear(self._embeddings(block, role))

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        check_role(role)
        blanks = Blanks()
        block = self.model.engine.embed(list(blanks.watch(texts)), self._prompt(role), on_long)
        return blanks.clear(self._embeddings(block, role))

    def _prompt(self, role: Role) -> str:
        return self.model.spec.prompts.get(role, "")

    def _embeddings(self, block: Block, role: Role) -> Embeddings:
        return Embeddings(block.vectors, block.tokens, block.truncated, self.space, role, self.precision, self.name)


def open_local(model: str, precision: Precision = "auto", *, offline: bool = False) -> LocalEmbedder:
    """The shipped cards' prompts apply. Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch."""
    from embassay.catalog.catalog import shipped

    return open_embedder(Settings(model_id=model, precision=precision, offline=offline), shipped().get(model))


def open_embedder(settings: Settings, card: ModelCard | None) -> LocalEmbedder:
    """Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch."""
    from embassay.engine.load import load

    return LocalEmbedder(
        load(
            settings.model_id or DEFAULT_MODEL,
            settings.precision,
            offline=settings.offline,
            prompts=partial(chosen, settings, card),
            max_tokens=settings.max_tokens,
        )
    )
