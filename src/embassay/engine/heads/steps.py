"""What stands behind the pooling of a model: steps in the order of its modules, each from (batch, in) to (batch, out).

The modules are those of sentence-transformers of the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from embassay.engine.heads.activations import activation

if TYPE_CHECKING:
    from embassay.engine.heads.arrays import Arrays
    from embassay.types import Vectors

A = TypeVar("A")
LAYER_NORM_EPS = 1e-5
"""torch's own, which the module does not change."""


class HeadStep(Protocol):
    """One step. It is a frozen dataclass, so that its digest covers all of it."""

    def width(self, before: int) -> int:
        """Numbers in a vector behind this step, for `before` in front of it."""

    def run(self, arrays: Arrays[A], x: A, model: str) -> A:
        """The step on `x`; `model` is whose it is, for messages."""


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """A linear layer and its activation."""

    weight: Vectors
    """(out, in)."""
    bias: Vectors | None
    activation: str

    def width(self, before: int) -> int:  # noqa: ARG002 - as its siblings
        """Numbers in a vector behind this step: the rows of its matrix."""
        return int(self.weight.shape[0])

    def run(self, arrays: Arrays[A], x: A, model: str) -> A:
        """The matrix, the bias and the activation."""
        x = arrays.times(x, self.weight)
        if self.bias is not None:
            x = arrays.add(x, arrays.constant(self.bias))
        return activation(self.activation, arrays, model)(x)


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """Mean 0 and variance 1 over each vector, then scaled and shifted."""

    weight: Vectors
    bias: Vectors

    def width(self, before: int) -> int:
        """Numbers in a vector behind this step: as many as before it."""
        return before

    def run(self, arrays: Arrays[A], x: A, model: str) -> A:  # noqa: ARG002 - as its siblings
        """Each vector by its own mean and deviation."""
        x = arrays.multiply(arrays.standard(x, LAYER_NORM_EPS), arrays.constant(self.weight))
        return arrays.add(x, arrays.constant(self.bias))


@dataclass(frozen=True, slots=True)
class Normalize:
    """Length 1."""

    def width(self, before: int) -> int:
        """Numbers in a vector behind this step: as many as before it."""
        return before

    def run(self, arrays: Arrays[A], x: A, model: str) -> A:  # noqa: ARG002 - as its siblings
        """Each vector divided by its length."""
        return arrays.unit(x)


@dataclass(frozen=True, slots=True)
class FirstDimensions:
    """The first numbers of each vector, as ``truncate_dim`` of a repository asks for."""

    dimensions: int

    def width(self, before: int) -> int:
        """Numbers in a vector behind this step: as many as before it, and at most its own limit."""
        return min(before, self.dimensions)

    def run(self, arrays: Arrays[A], x: A, model: str) -> A:  # noqa: ARG002 - as its siblings
        """The first of them."""
        return arrays.cut(x, self.dimensions)


def normalised(steps: Sequence[HeadStep]) -> bool:
    """Whether vectors of these steps have length 1."""
    return bool(steps) and isinstance(steps[-1], Normalize)


def layers_of(steps: Sequence[HeadStep]) -> Sequence[HeadStep]:
    """The steps that change more than the length of the final vector."""
    return steps[:-1] if normalised(steps) else steps


def fits(steps: Sequence[HeadStep], width: int) -> bool:
    """Whether each step takes what the one before it gives, the first one vectors of `width` numbers."""
    for step in steps:
        if isinstance(step, DenseLayer) and (
            step.weight.ndim != 2
            or step.weight.shape[1] != width
            or (step.bias is not None and step.bias.shape != (step.weight.shape[0],))
        ):
            return False
        if isinstance(step, LayerNorm) and not step.weight.shape == step.bias.shape == (width,):
            return False
        width = step.width(width)
    return True
