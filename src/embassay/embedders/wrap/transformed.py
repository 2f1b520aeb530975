"""An embedder whose vectors are changed, all in the same way, after the model has made them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.embedders.wrap.wrapper import Wrapper
from embassay.types import Embeddings, OnLong, Role

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors


class Transformed(Wrapper):
    """A subclass says what is done to rows, and to the space that they are in."""

    is_transparent = True

    @cached_property
    def space(self) -> Space:
        """The inner space after the transform, which it names, unless nothing is changed."""
        return self._after(self.inner.space)

    @property
    def former_space(self) -> Space:
        return self._after(self.inner.former_space)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        for block in self.inner.stream(texts, role, on_long):
            yield self._changed(block)

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        return self._changed(self.inner.embed(texts, role, on_long))

    def _changed(self, block: Embeddings) -> Embeddings:
        if self.space == block.space:
            return block
        return replace(block, vectors=self._transform(block.vectors), space=self.space)

    @abstractmethod
    def _after(self, whole: Space) -> Space:
        """The space of the vectors of `whole` after the transform; `whole` itself where they stay as they are."""

    @abstractmethod
    def _transform(self, vectors: Vectors) -> Vectors:
        """float32 (n, dimensions of the space). Rows of zeros stay zeros."""
