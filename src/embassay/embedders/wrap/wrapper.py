"""An embedder that adds behaviour to another one. What it does not change is passed through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from embassay.embedders.base import Embedder, Health
from embassay.space import Space
from embassay.types import Embeddings, OnLong, Role

if TYPE_CHECKING:
    from embassay.models.cache import VectorCache as Memory
    from embassay.types import Counts


class Wrapper(Embedder):
    def __init__(self, inner: Embedder) -> None:
        self.inner = inner

    @property
    def space(self) -> Space:
        return self.inner.space

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def remote(self) -> bool:  # type: ignore[override]
        return self.inner.remote

    @property
    def price(self) -> float | None:
        return self.inner.price

    @property
    def precision(self) -> str:
        return self.inner.precision

    @property
    def tokens(self) -> Counts:
        return self.inner.tokens

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        return self.inner.stream(texts, role, on_long)

    @property
    def memory(self) -> Memory | None:
        return self.inner.memory

    def cached(self, texts: Sequence[str], role: Role, space: Space | None = None) -> Embeddings | None:
        return self.inner.cached(texts, role, space)

    def health(self) -> Health:
        """Of the model itself: a vector from the cache would say nothing of it."""
        return self.inner.health()

    def close(self) -> None:
        self.inner.close()


def innermost(embedder: Embedder) -> Any:
    """The provider's own embedder below all wrappers."""
    while isinstance(embedder, Wrapper):
        embedder = embedder.inner
    return embedder


def uncached(embedder: Embedder) -> Embedder:
    """The same below whatever remembers vectors, and still below a cap on what is spent."""
    from embassay.embedders.wrap.capped import Capped

    while isinstance(embedder, Wrapper) and not isinstance(embedder, Capped):
        embedder = embedder.inner
    return embedder
