"""One vector a text, from the states of its tokens: pooling, dense layers, and length 1.

Each pooling is one row here: its name, the flag by which sentence-transformers names it, and what it does. `hidden`
has the shape (batch, tokens, width); `keep` the shape (batch, tokens), 1 for tokens and 0 for padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from embassay.engine.heads.activations import activation

if TYPE_CHECKING:
    from embassay.engine.heads.arrays import Arrays
    from embassay.types import Vectors

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
class Layer:
    """A dense layer behind the pooling."""

    weight: Vectors
    """(out, in)."""
    bias: Vectors | None
    activation: str


@dataclass(frozen=True, slots=True)
class Head:
    """All that stands behind the encoder of a model."""

    model: str
    """Whose it is, for messages."""
    pooling: str
    layers: Sequence[Layer]
    normalise: bool


def pooled(arrays: Arrays[A], hidden: A, keep: A, head: Head) -> A:
    """(batch, tokens, width) to (batch, dimensions)."""
    x: A = POOLINGS[head.pooling].pool(arrays, hidden, keep)
    return finished(arrays, x, head)


def finished(arrays: Arrays[A], x: A, head: Head) -> A:
    """What stands behind the pooling, for files that pool by themselves: (batch, width) to (batch, dimensions)."""
    for layer in head.layers:
        x = arrays.times(x, layer.weight)
        if layer.bias is not None:
            x = arrays.add(x, arrays.constant(layer.bias))
        x = activation(layer.activation, arrays, head.model)(x)
    return arrays.unit(x) if head.normalise else x


def _mean(arrays: Arrays[A], hidden: A, keep: A) -> A:
    total = arrays.sum(arrays.multiply(hidden, arrays.column(keep)), 1)
    return arrays.divide(total, arrays.counts(keep))


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
    "mean": Pooling("pooling_mode_mean_tokens", _mean),
    "last": Pooling("pooling_mode_lasttoken", _last, "lasttoken"),
    "max": Pooling("pooling_mode_max_tokens", _max),
}
