"""The contract of an embedder: a provider implements `stream`, the rest is derived from it.

def open_embedder(model: str, **options) -> Embedder       # in providers/<name>.py
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mensura.errors import UsageError
from mensura.space import Space
from mensura.types import Embeddings, OnLong, Role

if TYPE_CHECKING:
    from mensura.types import Counts

ROLES = ("query", "document")


class Embedder(ABC):
    """Turns texts into vectors of one space."""

    @property
    @abstractmethod
    def space(self) -> Space: ...

    @property
    @abstractmethod
    def precision(self) -> str:
        """Numeric precision of the arithmetic: ``f32``, ``bf16``, ``int8``."""

    @property
    @abstractmethod
    def tokens(self) -> Counts:
        """The model's tokenizer and its limit, for chunking."""

    @abstractmethod
    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """Vectors of any number of texts, in order, in blocks, in constant memory.

        `texts` may be consumed in another thread. Raises TextTooLong under ``on_long="error"``.
        """

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """Vectors of `texts`: float32, shape (len(texts), dimensions).

        `on_long` decides about texts above the token limit: raise TextTooLong, cut them, or split them and
        take the mean of the parts. Raises UsageError for an unknown role.
        """
        import numpy as np

        blocks = list(self.stream(texts, role, on_long))
        empty = np.empty((0, self.space.dimensions), np.float32)
        return Embeddings(
            vectors=np.concatenate([empty, *(b.vectors for b in blocks)]),
            tokens=[n for b in blocks for n in b.tokens],
            truncated=[t for b in blocks for t in b.truncated],
            space=self.space,
            role=role,
            precision=self.precision,
        )

    async def aembed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """`embed` in a thread, for asyncio."""
        return await asyncio.to_thread(self.embed, texts, role, on_long)


def check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"role {role!r} is not one of {', '.join(ROLES)}.")
