"""The contract of an embedder: a provider implements `stream`, the rest is derived from it.

    class Settings(embassay.embedders.settings.Settings): ...          # in providers/<name>.py: what it reads
    def open_embedder(settings: Settings, card: ModelCard | None) -> Embedder

A provider that can be asked for fewer dimensions says so with ``def sizes(settings, card) -> bool``; vectors of
any other are cut here. ``def canonical(model_id) -> str`` names the card of a model that goes by several names.
Opening is cheap: nothing is loaded or sent before the first text.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, TextRefused, UsageError
from embassay.space import Space
from embassay.types import NO_USAGE, Embeddings, OnLong, Role

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from embassay.models.cache import VectorCache as Memory
    from embassay.types import Counts

ROLES = ("query", "document")
ASYNC_THREADS = 64
"""Calls of `aembed` that run at once; asyncio's own pool has a handful."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a model answers, and how fast."""

    ok: bool
    milliseconds: float
    """Of one short query; from asking to failing, where it fails."""
    message: str = ""


class Embedder(ABC):
    """Turns texts into vectors of one space."""

    remote = False
    """Whether texts leave this process."""

    @property
    @abstractmethod
    def space(self) -> Space:
        """Where its vectors live; a hosted model without a card is asked once."""

    @property
    def name(self) -> str:
        """Who makes the vectors, as `Embeddings.model` says it."""
        return self.space.model

    @property
    def price(self) -> float | None:
        """USD per million tokens; 0 on hardware of the user's own, None if unknown."""
        return 0.0

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

        `texts` may be consumed in another thread. A text that the provider refuses is named in its block and
        does not stop the others. Raises TextTooLong under ``on_long="error"``, ModelError, ProviderError.
        """

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """Vectors of `texts`: float32, shape (len(texts), dimensions).

        `on_long` decides about texts above the token limit: raise TextTooLong, cut them, or split them and
        take the mean of the parts. Raises UsageError for an unknown role, ModelError or ProviderError.
        """
        made = join(list(self.stream(texts, role, on_long)), self.space, role, self.precision)
        for position, reason in made.refused.items():
            raise TextRefused(position, reason)
        return made

    @property
    def memory(self) -> Memory | None:
        """Where the cuts of documents are kept, if its vectors are."""
        return None

    def cached(self, texts: Sequence[str], role: Role, space: Space | None = None) -> Embeddings | None:  # noqa: ARG002
        """Vectors of `texts` if all of them are in a cache; nothing is computed or sent.

        `space`: where they live, if the caller knows it and the model may be out of reach.
        """
        return None

    async def aembed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """`embed` in a thread, for asyncio."""
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(_threads(), self.embed, texts, role, on_long)

    def health(self) -> Health:
        """Embed one word. Never raises."""
        started = time.perf_counter()
        try:
            self.embed(["health"], "query")
        except EmbassayError as error:
            return Health(False, (time.perf_counter() - started) * 1e3, str(error))
        return Health(True, (time.perf_counter() - started) * 1e3)

    def close(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back connections and files; it may be used again and reopens what it needs."""


@cache
def _threads() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(ASYNC_THREADS, "aembed")


def join(blocks: Sequence[Embeddings], space: Space, role: Role, precision: str = "f32") -> Embeddings:
    """Consecutive blocks as one."""
    import numpy as np

    if len(blocks) == 1:
        return blocks[0]
    refused: dict[int, str] = {}
    split: set[int] = set()
    at = 0
    for block in blocks:
        split.update(at + position for position in block.split)
        refused.update({at + position: reason for position, reason in block.refused.items()})
        at += len(block)
    return Embeddings(
        vectors=np.concatenate([np.empty((0, space.dimensions), np.float32), *(b.vectors for b in blocks)]),
        tokens=[n for b in blocks for n in b.tokens],
        truncated=[t for b in blocks for t in b.truncated],
        space=blocks[0].space if blocks else space,
        role=role,
        precision=blocks[0].precision if blocks else precision,
        model=blocks[0].model if blocks else "",
        usage=sum((b.usage for b in blocks), NO_USAGE),
        split=split,
        refused=refused,
    )


class Blanks:
    """Notes which texts of a stream are blank, and gives their rows the zero vector on the way back."""

    def __init__(self) -> None:
        self._blank: deque[bool] = deque()

    def watch(self, texts: Iterable[str]) -> Iterator[str]:
        for text in texts:
            self._blank.append(not text or text.isspace())
            yield text

    def clear(self, block: Embeddings) -> Embeddings:
        blank = [self._blank.popleft() for _ in range(len(block))]
        if not any(blank):
            return block
        vectors = block.vectors.copy()
        vectors[blank] = 0
        tokens = [0 if empty else n for empty, n in zip(blank, block.tokens, strict=True)]
        return replace(block, vectors=vectors, tokens=tokens)


def check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"role {role!r} is not one of {', '.join(ROLES)}.")
