"""An embedder over a model of the local engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.embedders.alongside import in_step, with_zeros
from embassay.embedders.base import Embedder
from embassay.embedders.texts.blocks import is_blank, join
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.engine.engine import Block
    from embassay.engine.load import LocalModel
    from embassay.engine.token_states import TokenStates
    from embassay.engine.tokens import Tokens


class LocalEmbedder(Embedder):
    """An embedder over a model of the engine. Blank texts are not shown to it."""

    def __init__(self, model: LocalModel) -> None:
        self.model = model

    @cached_property
    def space(self) -> Space:
        return self.model.space

    @property
    def former_space(self) -> Space:
        return self.model.former_space

    @property
    def is_trusted(self) -> bool:
        return True

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
        """Vectors of `texts`. A few short texts are computed at once, without the threads of a stream."""
        check_role(role)
        if not any(map(is_blank, texts)):
            return self._embeddings(self.model.engine.embed(texts, self._prompt(role), on_long), role)
        return super().embed(texts, role, on_long)

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:
        check_role(role)
        self.model.check_current()
        return self.model.token_engine.stream(texts, self._prompt(role))

    def close(self) -> None:
        self.model.release()

    def _stream(self, texts: Iterable[str], role: Role, on_long: OnLong) -> Iterator[Embeddings]:
        for block in self.model.engine.stream(texts, self._prompt(role), on_long):
            yield self._embeddings(block, role)

    def _prompt(self, role: Role) -> str:
        return self.model.prompts.get(role, "")

    def _embeddings(self, block: Block, role: Role) -> Embeddings:
        self.model.check_current()
        return Embeddings(block.vectors, block.tokens, block.truncated, self.space, role, self.precision, self.name)

    def _nothing(self, role: Role) -> Embeddings:
        return replace(join([], self.space, role, self.precision), model=self.name)


def _spoken(text: str) -> str | None:
    return None if is_blank(text) else text
