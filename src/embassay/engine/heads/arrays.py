"""The array operations that heads are written in, so that a graph and numpy share one definition of each head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

    Floats = npt.NDArray[np.float32]

A = TypeVar("A")
FEWEST = 1e-9
"""Tokens that a text without one counts as, as in sentence-transformers: its mean is zero."""


class Arrays(Protocol[A]):
    """float32 arrays of type `A`. Axes count from 0; a sum or a maximum over an axis removes it."""

    def constant(self, values: Floats) -> A:
        """`values` as an array of this kind."""

    def add(self, a: A, b: A) -> A:
        """``a + b``, element by element; axes of length 1 are stretched."""

    def subtract(self, a: A, b: A) -> A:
        """``a - b``, element by element; axes of length 1 are stretched."""

    def multiply(self, a: A, b: A) -> A:
        """``a * b``, element by element; axes of length 1 are stretched."""

    def divide(self, a: A, b: A) -> A:
        """``a / b``, element by element; axes of length 1 are stretched."""

    def times(self, x: A, matrix: Floats) -> A:
        """`x` (..., in) by the transpose of `matrix` (out, in)."""

    def sum(self, x: A, axis: int) -> A:
        """The sum over `axis`."""

    def counts(self, keep: A) -> A:
        """Tokens of each text, shape (batch, 1), of `keep` (batch, tokens); no text counts as none."""

    def running(self, keep: A) -> A:
        """The sum of `keep` (batch, tokens) up to and with each token."""

    def root(self, x: A) -> A:
        """The square root of each element."""

    def standard(self, x: A, eps: float) -> A:
        """Rows with their mean taken off, divided by their deviation; `eps` is added to the variance."""

    def join(self, parts: Sequence[A]) -> A:
        """Arrays (batch, n) side by side."""

    def cut(self, x: A, width: int) -> A:
        """The first `width` columns of `x` (batch, n), or all where there are fewer."""

    def largest(self, x: A, axis: int) -> A:
        """The largest element along `axis`."""

    def column(self, x: A) -> A:
        """(batch, tokens) as (batch, tokens, 1)."""

    def first(self, hidden: A) -> A:
        """Of `hidden` (batch, tokens, width) the first token of each text: (batch, width)."""

    def nth(self, hidden: A, n: A) -> A:
        """The same for the token at number `n` (batch, 1), counted from 1."""

    def unit(self, x: A) -> A:
        """Rows scaled to length 1; what is shorter than 1e-12 stays nearly zero."""

    def tanh(self, x: A) -> A:
        """The hyperbolic tangent of each element."""

    def sigmoid(self, x: A) -> A:
        """The logistic function of each element."""

    def relu(self, x: A) -> A:
        """Each element, or 0 where it is negative."""

    def silu(self, x: A) -> A:
        """Each element times its logistic sigmoid."""

    def gelu(self, x: A) -> A:
        """By the error function."""

    def gelu_tanh(self, x: A) -> A:
        """Approximated by tanh."""


class NumpyArrays(Arrays["Floats"]):
    """The operations as numpy has them."""

    def constant(self, values: Floats) -> Floats:
        return values

    def add(self, a: Floats, b: Floats) -> Floats:
        return a + b

    def subtract(self, a: Floats, b: Floats) -> Floats:
        return a - b

    def multiply(self, a: Floats, b: Floats) -> Floats:
        return a * b

    def divide(self, a: Floats, b: Floats) -> Floats:
        return a / b

    def times(self, x: Floats, matrix: Floats) -> Floats:
        made: Vectors = x @ matrix.T
        return made

    def sum(self, x: Floats, axis: int) -> Floats:
        made: Floats = x.sum(axis)
        return made

    def counts(self, keep: Floats) -> Floats:
        made: Floats = np.maximum(keep.sum(1, keepdims=True), np.float32(FEWEST))
        return made

    def running(self, keep: Floats) -> Floats:
        made: Floats = keep.cumsum(1)
        return made

    def root(self, x: Floats) -> Floats:
        made: Floats = np.sqrt(x)
        return made

    def standard(self, x: Floats, eps: float) -> Floats:
        made: Floats = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + np.float32(eps))
        return made

    def join(self, parts: Sequence[Floats]) -> Floats:
        made: Floats = np.concatenate(parts, axis=1)
        return made

    def cut(self, x: Floats, width: int) -> Floats:
        return x[:, :width]

    def largest(self, x: Floats, axis: int) -> Floats:
        made: Floats = x.max(axis)
        return made

    def column(self, x: Floats) -> Floats:
        return x[:, :, None]

    def first(self, hidden: Floats) -> Floats:
        return hidden[:, 0]

    def nth(self, hidden: Floats, n: Floats) -> Floats:
        return hidden[range(len(hidden)), n[:, 0].astype(np.int64) - 1]

    def unit(self, x: Floats) -> Floats:
        made: Floats = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12))
        return made

    def tanh(self, x: Floats) -> Floats:
        return np.tanh(x)

    def sigmoid(self, x: Floats) -> Floats:
        made: Floats = np.exp(-np.logaddexp(np.float32(0), -x)).astype(np.float32)  # no overflow far below 0
        return made

    def relu(self, x: Floats) -> Floats:
        return np.maximum(x, np.float32(0))

    def silu(self, x: Floats) -> Floats:
        made: Floats = x / (1 + np.exp(-x))
        return made

    def gelu(self, x: Floats) -> Floats:
        from scipy.special import erf

        made: Floats = (x * (1 + erf(x / np.sqrt(2))) / 2).astype(np.float32)
        return made

    def gelu_tanh(self, x: Floats) -> Floats:
        """Hendrycks and Gimpel, "Gaussian error linear units", 2016."""
        made: Floats = x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3))) / 2
        return made
