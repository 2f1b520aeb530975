"""Where each architecture of the BERT family keeps its tensors: one row a family, no branches elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

BUCKETS = 32
"""Of relative positions. MPNet's own code always counts so many, whatever its configuration says."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensor names (``{i}`` is the layer), config keys and constants of one architecture, as transformers has them."""

    prefix: str = "bert"
    """Put before the names of tensors by models that were saved with a head."""
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
    """Positions count only tokens that are not padding, and start behind the id of padding."""
    padding: int | None = None
    """That id where the architecture fixes it; otherwise its configuration says it."""
    relative_bias: str = ""
    """Tensor of bucketed relative position biases, shape (buckets, heads); empty for none."""
    eps: float | None = None
    """Of layer normalisation where the architecture fixes it; otherwise its configuration says it."""
    layers: int = 12
    """Where the configuration does not say it."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Our config key to this architecture's, where they differ."""
    classifier: Sequence[tuple[str, str]] = (("classifier.dense", "Tanh"), ("classifier.out_proj", "Identity"))
    """What sequence classification puts behind the first token: the linear layers, each with its activation."""

    def tensors(self, layers: int, width: int, heads: int) -> Iterator[tuple[str, tuple[int | None, ...]]]:
        """(name, shape) of every tensor that an encoder is built from; None is any size."""
        yield WORDS, (None, width)
        yield POSITIONS, (None, width)
        if self.token_types:
            yield TYPES, (None, width)
        if self.relative_bias:
            yield self.relative_bias, (None, heads)
        yield from _norm(EMBEDDED, width)
        for i in range(layers):
            at = self.layer.format(i=i)
            for name in (self.query, self.key, self.value, self.attention_out):
                yield from _linear(at + name, width, width)
            yield from _norm(at + self.attention_norm, width)
            yield from _linear(at + self.up, None, width)
            yield from _linear(at + self.down, width, None)
            yield from _norm(at + self.norm, width)

    def classifier_tensors(self, width: int) -> Iterator[tuple[str, tuple[int | None, ...]]]:
        """(name, shape) of every tensor of the classifier; its last layer has a row for each label."""
        *inner, (last, _) = self.classifier
        for name, _ in inner:
            yield from _linear(name, width, width)
        yield from _linear(last, None, width)


WORDS = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"
EMBEDDED = "embeddings.LayerNorm"


def _linear(name: str, out: int | None, width: int | None) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    yield name + ".weight", (out, width)
    yield name + ".bias", (out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    yield name + ".weight", (width,)
    yield name + ".bias", (width,)


_BERT = Layout(classifier=(("pooler.dense", "Tanh"), ("classifier", "Identity")))
_ROBERTA = Layout(prefix="roberta", positions_behind_padding=True)

LAYOUTS: Mapping[str, Layout] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "mpnet": Layout(
        prefix="mpnet",
        query="attention.attn.q",
        key="attention.attn.k",
        value="attention.attn.v",
        attention_out="attention.attn.o",
        attention_norm="attention.LayerNorm",
        token_types=False,
        positions_behind_padding=True,
        padding=1,
        relative_bias="encoder.relative_attention_bias.weight",
    ),
    "distilbert": Layout(
        prefix="distilbert",
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
        eps=1e-12,
        layers=6,
        classifier=(("pre_classifier", "ReLU"), ("classifier", "Identity")),
        config={
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "hidden_size": "dim",
            "hidden_act": "activation",
        },
    ),
}
"""By ``model_type`` of config.json."""
