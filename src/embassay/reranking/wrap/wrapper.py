"""A reranker that adds behaviour to another one. What it does not change is passed through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.reranking.base import Reranker

if TYPE_CHECKING:
    from embassay.types import Counts


class RerankWrapper(Reranker):
    """Passes everything on to `inner`; a subclass changes some of it."""

    def __init__(self, inner: Reranker) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def identity(self) -> str:
        return self.inner.identity

    @property
    def remote(self) -> bool:  # type: ignore[override]
        """Whether texts leave this process, as the reranker inside says."""
        return self.inner.remote

    @property
    def listwise(self) -> bool:  # type: ignore[override]
        """Whether scores depend on the other texts, as the reranker inside says."""
        return self.inner.listwise

    @property
    def tokens(self) -> Counts | None:
        return self.inner.tokens

    @property
    def price(self) -> str:
        return self.inner.price

    def usd(self, query: int, texts: Sequence[int]) -> float | None:
        return self.inner.usd(query, texts)

    def check_ready(self) -> None:
        self.inner.check_ready()

    def close(self) -> None:
        self.inner.close()
