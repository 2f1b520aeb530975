"""Blocks: consecutive texts of a stream, and the vectors of consecutive texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from embassay.types import NO_USAGE, Embeddings, Role

if TYPE_CHECKING:
    from embassay.embedders.alongside import Step
    from embassay.space import Space


def windows(texts: Iterable[str], count: int) -> Iterator[list[str]]:
    """`texts` in lists of `count`; the last one may be shorter. Each is read when it is asked for."""
    source = iter(texts)
    while window := list(islice(source, count)):
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


def with_zeros(step: Step[str], nothing: Embeddings) -> Embeddings:
    """The texts of `step` as one block, in which those without a row have the zero vector and no tokens.

    `nothing` is a block of no texts: it says whose the block is where none of the texts has a row.
    """
    import numpy as np

    made = nothing if step.made is None else step.made
    if len(made) == len(step.items):
        return made
    from dataclasses import replace

    filled = [at for at, row in enumerate(step.rows) if row is not None]
    vectors = np.zeros((len(step.items), made.space.dimensions), np.float32)
    vectors[filled] = made.vectors
    return replace(
        made,
        vectors=vectors,
        tokens=[0 if row is None else made.tokens[row] for row in step.rows],
        truncated=[row is not None and made.truncated[row] for row in step.rows],
        split={filled[row] for row in made.split},
        refused={filled[row]: reason for row, reason in made.refused.items()},
    )
