"""Heads are written once: numpy and the graph agree, and both with figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.engine.heads.activations import ACTIVATIONS, activation
from embassay.engine.heads.arrays import NumpyArrays
from embassay.engine.heads.pooled import POOLINGS, Head, finished, pooled
from embassay.engine.heads.steps import DenseLayer, FirstDimensions, LayerNorm, Normalize
from embassay.engine.opset import GraphArrays, op
from embassay.engine.quiet_openvino import openvino as ov
from embassay.errors import ModelUnsupported

STATES = np.array([[[1, -2], [3, 4], [9, 9]], [[2, 0], [0, 0], [-5, 7]]], np.float32)
KEEP = np.array([[1, 1, 0], [1, 1, 1]], np.float32)
BY_HAND = {
    "cls": [[1, -2], [2, 0]],
    "mean": [[2, 1], [-1, 7 / 3]],
    "last": [[3, 4], [-5, 7]],
    "max": [[3, 4], [2, 7]],
    "mean_sqrt_len": [[4 / 2**0.5, 2 / 2**0.5], [-3 / 3**0.5, 7 / 3**0.5]],
    "weightedmean": [[7 / 3, 6 / 3], [-13 / 6, 21 / 6]],
}


def in_graph(head: Head, states: np.ndarray, keep: np.ndarray) -> np.ndarray:
    hidden = op.parameter([-1, -1, states.shape[2]], np.float32)
    mask = op.parameter([-1, -1], np.float32)
    model = ov.Model([pooled(GraphArrays(), hidden, mask, head)], [hidden, mask], "head")
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([states, keep])[0]


@pytest.mark.parametrize("name", POOLINGS)
def test_poolings_by_hand(name):
    head = Head("test", (name,))
    np.testing.assert_allclose(pooled(NumpyArrays(), STATES, KEEP, head), BY_HAND[name], atol=1e-6)
    np.testing.assert_allclose(in_graph(head, STATES, KEEP), BY_HAND[name], atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_whole_head_is_the_same_in_a_graph_and_in_numpy(name):
    rng = np.random.default_rng(3)
    states = rng.normal(size=(4, 5, 8)).astype(np.float32)
    keep = (np.arange(5) < np.array([[1], [2], [4], [5]])).astype(np.float32)

    def some(*shape):
        return rng.normal(size=shape).astype(np.float32)

    steps = (
        DenseLayer(some(6, 16), some(6), name),
        LayerNorm(some(6), some(6)),
        DenseLayer(some(5, 6), None, "Identity"),
        FirstDimensions(3),
        Normalize(),
    )
    head = Head("test", ("mean", "weightedmean"), steps)
    made = pooled(NumpyArrays(), states, keep, head)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, in_graph(head, states, keep), atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)


def test_activations_by_hand():
    """At 1: x * Phi(x), its approximation by tanh, and x / (1 + e^-x), from tables."""
    one = np.ones(1, np.float32)
    for name, expected in (("gelu", 0.8413447), ("gelu_new", 0.8411920), ("silu", 0.7310586), ("Tanh", 0.7615942)):
        assert activation(name, NumpyArrays(), "test")(one)[0] == pytest.approx(expected, abs=1e-6)
    assert activation("relu", NumpyArrays(), "test")(-one)[0] == 0


def test_a_file_that_pools_by_itself_gets_the_rest_of_the_head():
    head = Head("test", ("mean",), (Normalize(),))
    np.testing.assert_allclose(finished(NumpyArrays(), np.array([[3, 4]], np.float32), head), [[0.6, 0.8]])


def test_an_unknown_activation_names_the_model_and_what_there_is():
    with pytest.raises(ModelUnsupported, match=r"ours: activation 'Mish' is not one of gelu, "):
        activation("Mish", NumpyArrays(), "ours")
