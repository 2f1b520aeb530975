"""Vectors of many texts at once, for measurements that need all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from embassay.errors import RequestRefused
from embassay.types import NO_USAGE, Usage
from embassay.vectors import comparable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Role, Vectors


def embed_all(
    embedder: Embedder, texts: Sequence[str], role: Role, advance: Callable[[int], None]
) -> tuple[Vectors, float, Usage]:
    """Comparable rows, float32 (len(texts), dimensions), the share of texts that were cut, and what it took.

    Their dot products say how alike texts are: `vectors.comparable`.
    `advance` is told of texts embedded. Raises ModelError, ProviderError, and RequestRefused for a text that the
    provider will not take.
    """
    import numpy as np

    blocks, truncated, usage, done = [zeros(0, embedder)], 0, NO_USAGE, 0
    for block in embedder.stream(texts, role):
        for at, reason in block.refused.items():
            raise RequestRefused(f"the {role} that begins with {texts[done + at][:60]!r} was refused: {reason}")
        done += len(block)
        blocks.append(block.vectors)
        truncated += sum(block.truncated)
        usage += block.usage
        advance(len(block))
    return comparable(np.concatenate(blocks), embedder.space), truncated / max(1, len(texts)), usage


def zeros(rows: int, embedder: Embedder) -> Vectors:
    """float32 (rows, dimensions) of zeros: what stands for vectors that nobody compares."""
    import numpy as np

    return np.zeros((rows, embedder.space.dimensions), np.float32)
