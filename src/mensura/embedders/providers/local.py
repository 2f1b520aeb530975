"""The local engine: sentence-transformers models on this machine's CPU, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mensura.embedders.base import Embedder, check_role
from mensura.engine.engine import Block
from mensura.engine.load import LocalModel, load
from mensura.engine.tokens import Tokens
from mensura.space import Space
from mensura.types import Embeddings, OnLong, Precision, Role


class LocalEmbedder(Embedder):
    def __init__(self, model: LocalModel) -> None:
        self.model = model

    @property
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
        for block in self.model.engine.stream(texts, self._prompt(role), on_long):
            yield self._embeddings(block, role)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        check_role(role)
        return self._embeddings(self.model.engine.embed(texts, self._prompt(role), on_long), role)

    def _prompt(self, role: Role) -> str:
        return self.model.spec.prompts.get(role, "")

    def _embeddings(self, block: Block, role: Role) -> Embeddings:
        return Embeddings(block.vectors, block.tokens, block.truncated, self.space, role, self.precision)


def open_embedder(model: str, *, precision: Precision = "auto", offline: bool = False) -> LocalEmbedder:
    """Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch."""
    return LocalEmbedder(load(model, precision, offline=offline))
