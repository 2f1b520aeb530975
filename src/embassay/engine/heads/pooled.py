"""One vector a text, from the states of its tokens: pooling, and the steps behind it.

Each pooling is one row here: its name, the flag by which sentence-transformers names it, and what it does. `hidden`
has the shape (batch, tokens, width); `keep` the shape (batch, tokens), 1 for tokens and 0 for padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from embassay.engine.heads.arrays import Arrays
    from embassay.engine.heads.steps import HeadStep

A = TypeVar("A")
MASKED = -1e9
"""Added to what padding must not reach; it stays finite in bf16, whose exponent is float32's."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """One way to make a vector of the tokens' states."""

    flag: str
    """In a pooling file of sentence-transformers."""
    pool: Callable[[Arrays[Any], Any, Any], Any]
    """(arrays, hidden, keep) to (batch, width)."""
    alias: str = ""
    """Its other name there, as the value of ``pooling_mode``."""


@dataclass(frozen=True, slots=True)
class Head:
    """All that stands behind the encoder of a model."""

    model: str
    """Whose it is, for messages."""
    poolings: Sequence[str]
    """Keys of `POOLINGS`; several are put side by side."""
    steps: Sequence[HeadStep] = ()

    def width(self, encoder: int) -> int:
        """Numbers in a vector, for an encoder whose states have so many."""
        width = encoder * len(self.poolings)
        for step in self.steps:
            width = step.width(width)
        return width

    @property
    def first_only(self) -> bool:
        """Whether the state of the first token is all that its pooling reads."""
        return tuple(self.poolings) == ("cls",)

    def output(self, arrays: Arrays[Any], hidden: Any, keep: Any) -> Any:
        """One vector a text: (batch, dimensions)."""
        return pooled(arrays, hidden, keep, self)

    def pooled_already(self, arrays: Arrays[Any], x: Any) -> Any:
        """The steps behind the pooling alone."""
        return finished(arrays, x, self)


def pooled(arrays: Arrays[A], hidden: A, keep: A, head: Head) -> A:
    """(batch, tokens, width) to (batch, dimensions)."""
    parts = [POOLINGS[name].pool(arrays, hidden, keep) for name in head.poolings]
    return finished(arrays, parts[0] if len(parts) == 1 else arrays.join(parts), head)


def finished(arrays: Arrays[A], x: A, head: Head) -> A:
    """What stands behind the pooling, for files that pool by themselves: (batch, width) to (batch, dimensions)."""
    for step in head.steps:
        x = step.run(arrays, x, head.model)
    return x


def _total(arrays: Arrays[A], hidden: A, weights: A) -> A:
    return arrays.sum(arrays.multiply(hidden, arrays.column(weights)), 1)


def _mean(arrays: Arrays[A], hidden: A, keep: A) -> A:
    return arrays.divide(_total(arrays, hidden, keep), arrays.counts(keep))


def _mean_of_root(arrays: Arrays[A], hidden: A, keep: A) -> A:
    return arrays.divide(_total(arrays, hidden, keep), arrays.root(arrays.counts(keep)))


def _weighted(arrays: Arrays[A], hidden: A, keep: A) -> A:
    weights = arrays.multiply(keep, arrays.running(keep))
    return arrays.divide(_total(arrays, hidden, weights), arrays.counts(weights))


def _first(arrays: Arrays[A], hidden: A, keep: A) -> A:  # noqa: ARG001 - as its siblings
    return arrays.first(hidden)


def _last(arrays: Arrays[A], hidden: A, keep: A) -> A:
    return arrays.nth(hidden, arrays.counts(keep))


def _max(arrays: Arrays[A], hidden: A, keep: A) -> A:
    import numpy as np

    hole = arrays.subtract(arrays.constant(np.array(1, np.float32)), arrays.column(keep))
    masked = arrays.multiply(hole, arrays.constant(np.array(MASKED, np.float32)))
    return arrays.largest(arrays.add(hidden, masked), 1)


POOLINGS: Mapping[str, Pooling] = {
    "cls": Pooling("pooling_mode_cls_token", _first),
    "max": Pooling("pooling_mode_max_tokens", _max),
    "mean": Pooling("pooling_mode_mean_tokens", _mean),
    "mean_sqrt_len": Pooling("pooling_mode_mean_sqrt_len_tokens", _mean_of_root, "mean_sqrt_len_tokens"),
    "weightedmean": Pooling("pooling_mode_weightedmean_tokens", _weighted),
    "last": Pooling("pooling_mode_lasttoken", _last, "lasttoken"),
}
"""In the order in which sentence-transformers puts several side by side where flags name them."""
