"""OpenVINO's operations: the few helpers that graphs are built with, and the array operations of heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.engine.heads.arrays import FEWEST, Arrays
from embassay.engine.quiet_openvino import openvino as ov

if TYPE_CHECKING:
    from embassay.types import Vectors

op = ov.opset15
Value = Any
"""A node or an output of the graph; OpenVINO's own types are not usable by a type checker."""


def const(values: Any) -> Value:
    """An array as a constant."""
    return op.constant(np.ascontiguousarray(values))


def ints(*values: int) -> Value:
    """int64, shape (number of values,)."""
    return op.constant(np.array(values, np.int64))


def scalar(value: int) -> Value:
    """int64, of no dimension."""
    return op.constant(np.int64(value))


class GraphArrays(Arrays[Value]):
    """The operations of `Arrays` as nodes of a graph."""

    def constant(self, values: Vectors) -> Value:
        return const(values)

    def add(self, a: Value, b: Value) -> Value:
        return op.add(a, b)

    def subtract(self, a: Value, b: Value) -> Value:
        return op.subtract(a, b)

    def multiply(self, a: Value, b: Value) -> Value:
        return op.multiply(a, b)

    def divide(self, a: Value, b: Value) -> Value:
        return op.divide(a, b)

    def times(self, x: Value, matrix: Vectors) -> Value:
        return op.matmul(x, const(matrix), False, True)

    def sum(self, x: Value, axis: int) -> Value:
        return op.reduce_sum(x, ints(axis), False)

    def counts(self, keep: Value) -> Value:
        return op.maximum(op.reduce_sum(keep, ints(1), True), const(np.float32(FEWEST)))

    def running(self, keep: Value) -> Value:
        return op.cum_sum(keep, scalar(1))

    def root(self, x: Value) -> Value:
        return op.sqrt(x)

    def standard(self, x: Value, eps: float) -> Value:
        return op.mvn(x, ints(1), True, eps, "inside_sqrt")

    def join(self, parts: Sequence[Value]) -> Value:
        return op.concat(parts, 1)

    def cut(self, x: Value, width: int) -> Value:
        return op.slice(x, ints(0), ints(width), ints(1), ints(1))

    def largest(self, x: Value, axis: int) -> Value:
        return op.reduce_max(x, ints(axis), False)

    def column(self, x: Value) -> Value:
        return op.unsqueeze(x, ints(2))

    def first(self, hidden: Value) -> Value:
        return op.gather(hidden, scalar(0), scalar(1))

    def nth(self, hidden: Value, n: Value) -> Value:
        at = op.subtract(op.convert(n, "i64"), scalar(1))
        return op.squeeze(op.gather(hidden, at, scalar(1), 1), ints(1))

    def unit(self, x: Value) -> Value:
        return op.normalize_l2(x, ints(1), 1e-12, "max")

    def tanh(self, x: Value) -> Value:
        return op.tanh(x)

    def sigmoid(self, x: Value) -> Value:
        return op.sigmoid(x)

    def relu(self, x: Value) -> Value:
        return op.relu(x)

    def silu(self, x: Value) -> Value:
        return op.swish(x)

    def gelu(self, x: Value) -> Value:
        return op.gelu(x, "erf")

    def gelu_tanh(self, x: Value) -> Value:
        return op.gelu(x, "tanh")
