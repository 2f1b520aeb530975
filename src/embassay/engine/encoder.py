"""The settings of an encoder: what a graph is built from besides tensors, read from config.json and typed."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.engine.fields import Fields
from embassay.engine.layouts import LAYOUTS, Layout
from embassay.engine.unsupported import damaged, needs_torch


@dataclass(frozen=True, slots=True)
class Encoder:
    """Everything of a configuration that the graph of a model is built from; its digest is part of the space."""

    architecture: str
    """A key of `LAYOUTS`."""
    layers: int
    heads: int
    width: int
    eps: float
    activation: str
    padding: int | None
    """Id of padding, where positions start behind it and do not count it; None where they count every token."""
    typed: bool = False
    """Whether it reads pairs of texts whose tokens are told apart by their type: see `pairs.py`."""

    @property
    def layout(self) -> Layout:
        """The names of its tensors, by its architecture."""
        return LAYOUTS[self.architecture]

    @property
    def unused_positions(self) -> int:
        """Rows of the position table before that of the first token."""
        return 0 if self.padding is None else self.padding + 1


def read_encoder(config: Fields, model: str) -> Encoder:
    """The settings in `config`, with transformers' defaults. Raises ModelUnsupported; `model` is whose they are."""
    architecture = config.text("model_type")
    layout = LAYOUTS[architecture]
    _check_runnable(config, model)
    names = {key: layout.config.get(key, key) for key in ("num_hidden_layers", "num_attention_heads", "hidden_size")}
    encoder = Encoder(
        architecture=architecture,
        layers=config.integer(names["num_hidden_layers"], layout.layers, least=1),
        heads=config.integer(names["num_attention_heads"], 12, least=1),
        width=config.integer(names["hidden_size"], 768, least=1),
        eps=layout.eps if layout.eps is not None else config.number("layer_norm_eps", 1e-12),
        activation=config.text(layout.config.get("hidden_act", "hidden_act"), "gelu"),
        padding=_padding(config, layout),
    )
    if encoder.width % encoder.heads:
        raise damaged(f"{config.path}: {encoder.heads} heads do not divide a width of {encoder.width}.")
    return encoder


def _padding(config: Fields, layout: Layout) -> int | None:
    if not layout.positions_behind_padding:
        return None
    if layout.padding is not None:
        return layout.padding
    if "pad_token_id" in config.values and "pad_token_id" not in config:
        raise damaged(f"{config.path}: 'pad_token_id' is null, but positions start behind it.")
    return config.integer("pad_token_id", 1)


def _check_runnable(config: Fields, model: str) -> None:
    kind = config.text("position_embedding_type", "absolute")
    if kind != "absolute":
        raise needs_torch(f"{model}: position_embedding_type {kind!r} is not supported.")
    for key in ("is_decoder", "add_cross_attention"):
        if config.flag(key):
            raise needs_torch(f"{model}: the local engine builds encoders, its configuration says {key}.")
    if "quantization_config" in config:
        raise needs_torch(f"{model}: its weights are quantised (quantization_config).")
