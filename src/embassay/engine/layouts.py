"""Where each architecture of the BERT family keeps its tensors: one row a family, no branches elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensor names (``{i}`` is the layer) and config keys of one architecture."""

    layer: str = "encoder.layer.{i}."
    query: str = "attention.self.query"
    key: str = "attention.self.key"
    value: str = "attention.self.value"
    attention_out: str = "attention.output.dense"
    attention_norm: str = "attention.output.LayerNorm"
    up: str = "intermediate.dense"
    down: str = "output.dense"
    norm: str = "output.LayerNorm"
    token_types: bool = True
    positions_behind_padding: bool = False
    """The rows of the position table up to the id of padding are never used."""
    relative_bias: str = ""
    """Tensor of bucketed relative position biases, shape (buckets, heads); empty for none."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Our config key to this architecture's, where they differ."""

    def setting(self, config: Mapping[str, Any], key: str, default: Any = None) -> Any:
        """The value of our `key` in the configuration of a model of this architecture."""
        return config.get(self.config.get(key, key), default)


_BERT, _ROBERTA = Layout(), Layout(positions_behind_padding=True)

LAYOUTS: Mapping[str, Layout] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "mpnet": Layout(
        query="attention.attn.q",
        key="attention.attn.k",
        value="attention.attn.v",
        attention_out="attention.attn.o",
        attention_norm="attention.LayerNorm",
        token_types=False,
        positions_behind_padding=True,
        relative_bias="encoder.relative_attention_bias.weight",
    ),
    "distilbert": Layout(
        layer="transformer.layer.{i}.",
        query="attention.q_lin",
        key="attention.k_lin",
        value="attention.v_lin",
        attention_out="attention.out_lin",
        attention_norm="sa_layer_norm",
        up="ffn.lin1",
        down="ffn.lin2",
        norm="output_layer_norm",
        token_types=False,
        config={
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "hidden_size": "dim",
            "hidden_act": "activation",
        },
    ),
}
"""By ``model_type`` of config.json."""
