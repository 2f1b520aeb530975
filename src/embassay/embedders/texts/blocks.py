"""Blocks: consecutive texts of a stream, and the vectors of consecutive texts."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from embassay.types import NO_USAGE, Embeddings, Role

if TYPE_CHECKING:
    from embassay.space import Space


PLAIN = "a plain sentence"
"""A text that every model takes."""


def windows(texts: Iterable[str], count: int, seconds: float = math.inf) -> Iterator[list[str]]:
    """`texts` in lists of `count`, or of those that came in so many seconds. Each is read when it is asked for."""
    window: list[str] = []
    since = time.monotonic()
    for text in texts:
        window.append(text)
        if len(window) >= count or time.monotonic() - since > seconds:
            yield window
            window, since = [], time.monotonic()
    if window:
        yield window


def is_blank(text: str) -> bool:
    """Whether `text` says nothing. A blank text has the zero vector and no tokens, and no model is asked for it."""
    return not text or text.isspace()


def join(blocks: Sequence[Embeddings], space: Space, role: Role, precision: str = "f32") -> Embeddings:
    """Consecutive blocks as one. Where there is none, it is an empty one of `space` and `precision`."""
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
