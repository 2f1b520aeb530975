"""Builds the inference graph of a BERT-family model with OpenVINO's opsets, its head included.

Inputs: ``input_ids`` int64 (batch, tokens), right-padded; ``lengths`` int32 (batch,). Where the encoder tells the texts
of a pair apart, the id of a token of the second one is written as its own plus the size of the vocabulary.
Output: what the head makes, by default float32 (batch, dimensions).
Attention follows Vaswani et al. 2017, post-norm as in Devlin et al. 2018; MPNet's bucketed relative
bias follows Raffel et al. 2020, section 2.1 (32 buckets, maximum distance 128).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.heads.activations import activation
from embassay.engine.heads.pooled import MASKED
from embassay.engine.layouts import BUCKETS, EMBEDDED, POSITIONS, TYPES, WORDS, Layout
from embassay.engine.opset import GraphArrays, Value, const, ints, op, scalar
from embassay.engine.quiet_openvino import openvino as ov
from embassay.engine.unsupported import damaged

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.engine.encoder import Encoder
    from embassay.engine.heads.base import Output
    from embassay.engine.weights import Tensor
    from embassay.types import Vectors

    Integers = npt.NDArray[np.int64]

ARRAYS = GraphArrays()


def build_graph(
    encoder: Encoder, tensors: Mapping[str, Tensor], head: Output, max_tokens: int, *, int8: bool
) -> ov.Model:
    """The whole path from token ids to vectors as one model.

    `tensors` are those of the encoder's layout, and `head` is what stands behind it; no text is longer than
    `max_tokens`. With `int8` the encoder's matrices are stored as int8, symmetric per output channel, and the CPU
    quantises activations as it goes. Raises ModelUnsupported when a setting is unknown.
    """
    return _Builder(encoder, tensors, max_tokens, head.model, int8).model(head)


class _Builder:
    def __init__(
        self, encoder: Encoder, tensors: Mapping[str, Tensor], max_tokens: int, model: str, int8: bool
    ) -> None:
        self.encoder, self.tensors, self.max_tokens, self.int8 = encoder, tensors, max_tokens, int8
        self.layout: Layout = encoder.layout
        rows = tensors[POSITIONS].shape[0] - encoder.unused_positions
        if rows < max_tokens:
            raise damaged(f"{model}: {max_tokens} tokens have only {rows} positions in its weights.")
        self.activation = activation(encoder.activation, ARRAYS, model)

    def model(self, head: Output) -> ov.Model:
        ids = op.parameter([-1, -1], np.int64, name="input_ids")
        lengths = op.parameter([-1], np.int32, name="lengths")
        ids.output(0).set_names({"input_ids"})
        lengths.output(0).set_names({"lengths"})
        tokens = op.gather(op.shape_of(ids, "i64"), scalar(1), scalar(0))
        places = op.range(scalar(0), tokens, scalar(1), "i64")
        keep = op.convert(
            op.less(op.unsqueeze(op.convert(places, "i32"), ints(0)), op.unsqueeze(lengths, ints(1))), "f32"
        )
        x = self._embed(ids, places)
        bias = self._attention_bias(keep, places)
        for i in range(self.encoder.layers):
            first_only = head.first_only and i == self.encoder.layers - 1
            x = self._layer(x, bias, self.layout.layer.format(i=i), first_only=first_only)
        return ov.Model([head.output(ARRAYS, x, keep)], [ids, lengths], head.model)

    def _embed(self, ids: Value, places: Value) -> Value:
        positions, table = self._values(POSITIONS), self._values(WORDS)
        types = self._values(TYPES) if self.layout.token_types else None
        if types is not None:
            positions = positions + types[0]
        second = None
        if self.encoder.typed and types is not None:
            second = op.convert(op.greater_equal(ids, scalar(len(table))), "i64")
            ids = op.subtract(ids, op.multiply(second, scalar(len(table))))
        where = op.gather(const(positions), self._positions(ids, places), scalar(0))
        x = op.add(op.gather(const(table), ids, scalar(0)), where)
        if second is not None and types is not None:
            x = op.add(x, op.gather(const(types[:2] - types[0]), second, scalar(0)))
        return self._norm(x, EMBEDDED)

    def _positions(self, ids: Value, places: Value) -> Value:
        """Rows of the position table: by place, or counted behind padding, which a text may contain literally."""
        padding = self.encoder.padding
        if padding is None:
            return places
        counts = op.convert(op.not_equal(ids, scalar(padding)), "i32")
        counted = op.multiply(op.cum_sum(counts, scalar(1)), counts)
        return op.add(counted, op.constant(np.int32(padding)))

    def _values(self, name: str) -> Vectors:
        return self.tensors[name].values()

    def _attention_bias(self, keep: Value, places: Value) -> Value:
        padding = op.multiply(op.subtract(const(np.float32(1)), keep), const(np.float32(MASKED)))
        padding = op.unsqueeze(padding, ints(1, 2))
        if not self.layout.relative_bias:
            return padding
        return op.add(padding, self._relative_bias(places))

    def _relative_bias(self, places: Value) -> Value:
        """(1, heads, tokens, tokens). The table over all distances is built here, once, and gathered from."""
        limit = self.max_tokens
        table = self._values(self.layout.relative_bias)[relative_buckets(np.arange(-limit + 1, limit), BUCKETS)]
        distance = op.subtract(op.unsqueeze(places, ints(0)), op.unsqueeze(places, ints(1)))
        values = op.gather(const(table), op.add(distance, scalar(limit - 1)), scalar(0))
        return op.unsqueeze(op.transpose(values, ints(2, 0, 1)), ints(0))

    def _layer(self, x: Value, bias: Value, at: str, *, first_only: bool) -> Value:
        """One layer; with `first_only` the states of the first tokens alone, which is all that their pooling reads."""
        names = self.layout
        mixed = self._attention_of_first(x, bias, at) if first_only else self._attention(x, bias, at)
        if first_only:
            x = _first(x, 1)
        x = self._norm(op.add(self._linear(mixed, at + names.attention_out), x), at + names.attention_norm)
        up = self.activation(self._linear(x, at + names.up))
        return self._norm(op.add(self._linear(up, at + names.down), x), at + names.norm)

    def _attention(self, x: Value, bias: Value, at: str) -> Value:
        """Queries, keys and values in one product: a third of the activation quantisations, one pass over x."""
        q, k, v = self._by_heads(x, at, (self.layout.query, self.layout.key, self.layout.value))
        return self._mixed(q, k, v, bias)

    def _attention_of_first(self, x: Value, bias: Value, at: str) -> Value:
        """What the first token of each text attends to."""
        (q,) = self._by_heads(_first(x, 1), at, (self.layout.query,))
        k, v = self._by_heads(x, at, (self.layout.key, self.layout.value))
        return self._mixed(q, k, v, _first(bias, 2) if self.layout.relative_bias else bias)

    def _by_heads(self, x: Value, at: str, names: Sequence[str]) -> list[Value]:
        """Each of the named products of `x`, in one, as (batch, heads, tokens, size)."""
        heads, size = self.encoder.heads, self.encoder.width // self.encoder.heads
        joined = self._product(x, np.concatenate([self._values(f"{at}{name}.weight") for name in names]))
        joined = op.add(joined, const(np.concatenate([self._values(f"{at}{name}.bias") for name in names])))
        split = op.transpose(op.reshape(joined, ints(0, 0, len(names), heads, size), True), ints(2, 0, 3, 1, 4))
        parts = op.split(split, scalar(0), len(names))
        return [op.squeeze(parts.output(i), ints(0)) for i in range(len(names))]

    def _mixed(self, q: Value, k: Value, v: Value, bias: Value) -> Value:
        width = self.encoder.width
        scale = const(np.float32((width // self.encoder.heads) ** -0.5))
        mixed = op.scaled_dot_product_attention(q, k, v, bias, scale)
        return op.reshape(op.transpose(mixed, ints(0, 2, 1, 3)), ints(0, 0, width), True)

    def _linear(self, x: Value, name: str) -> Value:
        return op.add(self._product(x, self._values(name + ".weight")), const(self._values(name + ".bias")))

    def _product(self, x: Value, matrix: Vectors) -> Value:
        return op.matmul(x, _quantised(matrix) if self.int8 else const(matrix), False, True)

    def _norm(self, x: Value, name: str) -> Value:
        centred = op.mvn(x, ints(-1), True, self.encoder.eps, "inside_sqrt")
        return op.add(op.multiply(centred, const(self._values(name + ".weight"))), const(self._values(name + ".bias")))


def _first(x: Value, axis: int) -> Value:
    """The first along `axis`, which stays, with length 1."""
    return op.gather(x, ints(0), scalar(axis))


def relative_buckets(distance: Integers, buckets: int, farthest: int = 128) -> Integers:
    """Bucket of each signed distance (key minus query): half of them exact, the rest logarithmic.

    Raffel et al. 2020 as MPNet uses it, bidirectional.
    """
    half = buckets // 2
    exact = half // 2
    n = np.abs(distance)
    far = exact + (np.log(np.maximum(n, 1) / exact) / np.log(farthest / exact) * (half - exact)).astype(np.int64)
    return np.asarray(np.where(distance > 0, half, 0) + np.where(n < exact, n, np.minimum(far, half - 1)))


def _quantised(matrix: Vectors) -> Value:
    scale = np.abs(matrix).max(axis=1, keepdims=True) / 127
    scale[scale == 0] = 1
    with np.errstate(invalid="ignore"):  # what is no number is found where vectors or scores come out
        levels = np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8)
    return op.multiply(op.convert(op.constant(levels), "f32"), const(scale.astype(np.float32)))
