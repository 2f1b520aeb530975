"""An embedder that adds behaviour to another one. What it does not change is passed through."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from embassay.embedders.base import Embedder
from embassay.space import Space
from embassay.types import Counts, Embeddings, Health, OnLong, RequestLimits, Role

if TYPE_CHECKING:
    from embassay.engine.token_states import TokenStates
    from embassay.types import Vectors


class Wrapper(Embedder):
    """Passes everything on to `inner`; a subclass changes some of it."""

    is_transparent: ClassVar[bool] = False
    """Whether canaries are those of the model inside: it leaves vectors alone, or changes them as its space says."""
    remembers: ClassVar[bool] = False
    """Whether it may answer without asking the model."""

    def __init__(self, inner: Embedder) -> None:
        self.inner = inner

    @property
    def space(self) -> Space:
        return self.inner.space

    @property
    def former_space(self) -> Space:
        return self.inner.former_space

    @property
    def is_trusted(self) -> bool:
        """Whether the model inside is trusted, and what is done to its vectors needs no proof."""
        return self.is_transparent and self.inner.is_trusted

    @property
    def is_anchored(self) -> bool:
        return self.inner.is_anchored

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def remote(self) -> bool:  # type: ignore[override]
        """Whether texts leave this process, as the model inside says."""
        return self.inner.remote

    @property
    def carries_canaries(self) -> bool:  # type: ignore[override]
        """Whether requests carry canary texts, as the model inside says."""
        return self.inner.carries_canaries

    @property
    def pays(self) -> bool:  # type: ignore[override]
        """Whether requests are paid for when they are sent, as the model inside says."""
        return self.inner.pays

    @property
    def unmeasured(self) -> bool:  # type: ignore[override]
        """Whether a first vector is asked for to tell the space, as the model inside says."""
        return self.inner.unmeasured

    @property
    def price(self) -> float | None:
        return self.inner.price

    @property
    def precision(self) -> str:
        return self.inner.precision

    @property
    def tokens(self) -> Counts:
        return self.inner.tokens

    @property
    def limits(self) -> RequestLimits | None:
        return self.inner.limits

    def prompt(self, role: Role) -> str:
        return self.inner.prompt(role)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        return self.inner.stream(texts, role, on_long)

    def canaries(self, role: Role) -> Vectors:
        """The canaries of the model inside; its own where what it does to vectors has to be proven as well."""
        return self.inner.canaries(role) if self.is_transparent else super().canaries(role)

    def witness(self, role: Role) -> str:
        return self.inner.witness(role)

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:
        """Those of the model inside: what is done to its vectors is not done to them."""
        return self.inner.token_states(texts, role)

    def check_ready(self) -> None:
        self.inner.check_ready()

    def health(self) -> Health:
        """Whether the model itself answers: a vector from the cache would say nothing of it."""
        return self.inner.health()

    def close(self) -> None:
        self.inner.close()


def uncached(embedder: Embedder) -> Embedder:
    """The same behaviour without whatever remembers vectors: every text reaches the model, within its spend cap."""
    if not isinstance(embedder, Wrapper):
        return embedder
    inner = uncached(embedder.inner)
    if embedder.remembers:
        return inner
    if inner is embedder.inner:
        return embedder
    other = copy.copy(embedder)
    other.inner = inner
    return other
