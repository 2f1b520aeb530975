"""Tokens of many texts, a few at a time: what a tokenizer makes of a text takes a hundred times its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.types import Counts

BATCH_CHARS = 500_000
BATCH_TEXTS = 1_024


def counted(tokens: Counts, texts: Iterable[str]) -> Iterator[int]:
    """The tokens of each text, in order. No text may be long; how many there are does not matter."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        batch.append(text)
        chars += len(text)
        if chars >= BATCH_CHARS or len(batch) >= BATCH_TEXTS:
            yield from tokens.count(batch)
            batch, chars = [], 0
    if batch:
        yield from tokens.count(batch)
