"""Activations by the names that model repositories have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from embassay.engine.heads.arrays import Arrays
from embassay.engine.unsupported import needs_torch

A = TypeVar("A")

ACTIVATIONS: Mapping[str, Callable[[Arrays[Any], Any], Any]] = {
    "gelu": lambda arrays, x: arrays.gelu(x),
    "gelu_new": lambda arrays, x: arrays.gelu_tanh(x),
    "gelu_pytorch_tanh": lambda arrays, x: arrays.gelu_tanh(x),
    "relu": lambda arrays, x: arrays.relu(x),
    "silu": lambda arrays, x: arrays.silu(x),
    "swish": lambda arrays, x: arrays.silu(x),
    "tanh": lambda arrays, x: arrays.tanh(x),
    "Tanh": lambda arrays, x: arrays.tanh(x),
    "Identity": lambda _, x: x,
    "ReLU": lambda arrays, x: arrays.relu(x),
    "GELU": lambda arrays, x: arrays.gelu(x),
    "SiLU": lambda arrays, x: arrays.silu(x),
    "Sigmoid": lambda arrays, x: arrays.sigmoid(x),
}
"""Those of encoders go by the names of transformers, those of dense layers by the classes of torch."""


def activation(name: str, arrays: Arrays[A], model: str) -> Callable[[A], A]:
    """The activation called `name`. Raises ModelUnsupported for one that there is not; `model` is whose it is."""
    if name not in ACTIVATIONS:
        raise needs_torch(f"{model}: activation {name!r} is not one of {', '.join(ACTIVATIONS)}.")
    chosen = ACTIVATIONS[name]
    return lambda x: chosen(arrays, x)
