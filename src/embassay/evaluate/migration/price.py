"""What embedding takes: texts, tokens, money, time and disk, of what was embedded and of what would be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.embedders.wrap.wrapper import uncached
from embassay.evaluate.compare.costs import BYTES, MILLION
from embassay.evaluate.speed.timing import spaced, throughput
from embassay.types import NO_USAGE, Usage
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

TIMED = 256
"""Texts, at most, by which the rate is measured where what was embedded does not tell it."""


@dataclass(frozen=True, slots=True)
class Outlay:
    """What it takes to embed some texts; fractions where it is a mean."""

    texts: float
    tokens: float
    usd: float | None
    """None where the price is not known."""
    seconds: float | None
    """None where nobody knows how fast the provider is."""
    bytes: float = 0.0
    """Of the vectors that are kept, float32."""

    def scaled(self, share: float) -> Outlay:
        """So much of it."""
        usd, seconds = (None if value is None else value * share for value in (self.usd, self.seconds))
        return Outlay(self.texts * share, self.tokens * share, usd, seconds, self.bytes * share)

    def to_dict(self) -> dict[str, object]:
        """As JSON has it; seconds to the millisecond."""
        seconds = None if self.seconds is None else round(self.seconds, 3)
        return {
            "texts": round(self.texts, 1), "tokens": round(self.tokens), "usd": self.usd, "seconds": seconds,
            "bytes": round(self.bytes),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rates:
    """What a token takes."""

    usd: float | None
    seconds: float | None

    def outlay(self, texts: float, tokens: float, dimensions: int = 0) -> Outlay:
        """What so many texts and tokens take, whose vectors of `dimensions` are kept."""
        usd, seconds = (None if rate is None else rate * tokens for rate in (self.usd, self.seconds))
        return Outlay(texts, tokens, usd, seconds, texts * dimensions * BYTES)


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """Texts that were embedded as documents."""

    vectors: Vectors
    """float32 (texts, dimensions), comparable; zero where the provider refused one."""
    tokens: Sequence[int]
    """That the model read of each."""
    usage: Usage
    seconds: float


def make(embedder: Embedder, texts: Sequence[str], advance: Callable[[int], None]) -> EmbeddedTexts:
    """Embed `texts`; `advance` is told of each that is done. Raises ModelError, ProviderError."""
    import numpy as np

    started = time.perf_counter()
    limit, tokens, usage = embedder.tokens.max_tokens, [], NO_USAGE
    rows = [np.zeros((0, embedder.space.dimensions), np.float32)]
    for block in embedder.stream(texts, "document"):
        rows.append(block.vectors)
        tokens += [min(count, limit) for count in block.tokens]
        usage += block.usage
        advance(len(block))
    vectors = comparable(np.concatenate(rows), embedder.space)
    return EmbeddedTexts(vectors, tokens, usage, time.perf_counter() - started)


def rates_of(embedder: Embedder, texts: Sequence[str], made: EmbeddedTexts) -> Rates:
    """What a token took; measured anew on a sample where vectors came from the cache and nothing is paid for it."""
    price = embedder.price
    usd = None if price is None else price / MILLION
    if not made.usage.cached:
        return Rates(usd, made.seconds / max(1, sum(made.tokens)))
    if embedder.remote:
        return Rates(usd, None)
    seen = throughput(uncached(embedder), spaced(texts, TIMED))
    return Rates(usd, 1 / seen.tokens_per_second if seen and seen.tokens_per_second else None)
