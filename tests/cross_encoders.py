"""Small cross-encoders of every family, with random weights from a seed, and what the reference is asked of them.

`tests/make_golden.py` writes down what sentence-transformers' CrossEncoder scores; the tests compare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from tests.layout_folders import TOKENIZERS
from tests.tiny import WORDS, Case, Sizes, config_of, special_of, weights_of

LIMIT, SPARE = 24, 16
QUERY = "rotate the key"
LONG_QUERY = " ".join(WORDS)
PASSAGES = [
    "rotate the key",
    "a",
    "",
    "The Search index of a vector space model",
    "query, document; text code! proxy server?",
    "zzz unknown wörds 123 [SEP] </s> of",
    " ".join(WORDS * 5),
]
USUAL = Sizes()
UNEVEN = Sizes(width=36, heads=3, layers=3, inner=50)


@dataclass(frozen=True)
class Shape:
    """One cross-encoder."""

    architecture: str = "bert"
    tokenizer: str = "wordpiece"
    tokenizer_class: str = "BertTokenizer"
    labels: Sequence[str] = ("LABEL_0",)
    sizes: Sizes = USUAL
    config: Mapping[str, Any] = field(default_factory=dict)
    tokens: Mapping[str, Any] = field(default_factory=dict)
    """tokenizer_config.json."""
    said: Mapping[str, Any] | None = None
    """config_sentence_transformers.json; None: a folder as transformers saves it, without modules."""


SHAPES = {
    "bert": Shape(),
    "bert-labels": Shape(labels=("contradiction", "entailment", "neutral"), sizes=UNEVEN),
    "bert-raw": Shape(config={"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}),
    "bert-saved": Shape(
        said={
            "model_type": "CrossEncoder",
            "activation_fn": "torch.nn.modules.activation.Tanh",
            "prompts": {"ask": "a query: "},
            "default_prompt_name": "ask",
        }
    ),
    "bert-cut-left": Shape(tokens={"truncation_side": "left"}),
    "roberta": Shape("roberta", "byte-level", "RobertaTokenizer", sizes=UNEVEN),
    "roberta-labels": Shape("roberta", "byte-level", "RobertaTokenizer", labels=("no", "yes")),
    "xlm-roberta": Shape("xlm-roberta", "unigram", "XLMRobertaTokenizer"),
    "xlm-roberta-labels": Shape("xlm-roberta", "unigram", "XLMRobertaTokenizer", labels=tuple("abcde"), sizes=UNEVEN),
    "camembert": Shape("camembert", "unigram", "CamembertTokenizer"),
    "distilbert": Shape("distilbert", sizes=UNEVEN),
    "distilbert-labels": Shape("distilbert", labels=("LABEL_0", "LABEL_1")),
    "mpnet": Shape("mpnet", tokenizer_class="MPNetTokenizer"),
    "mpnet-oldest": Shape(
        "mpnet",
        tokenizer_class="MPNetTokenizer",
        config={"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid"},
        labels=("one", "two"),
    ),
}
LAYERS = {"bert": ("bert.pooler.dense", "classifier"), "distilbert": ("pre_classifier", "classifier")}
HEAD = ("classifier.dense", "classifier.out_proj")
CLASSES = {"bert": "Bert", "distilbert": "DistilBert", "mpnet": "MPNet", "xlm-roberta": "XLMRoberta"}


def write_cross_encoder(folder: Path, shape: Shape, seed: int = 5) -> Path:
    """Write the repository of `shape` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = TOKENIZERS[shape.tokenizer](shape.architecture)
    config = config_of(Case(shape.architecture), tokenizer.get_vocab_size() + SPARE, shape.sizes)
    name = CLASSES.get(shape.architecture, shape.architecture.title())
    config["architectures"] = [f"{name}ForSequenceClassification"]
    config["id2label"] = {str(at): label for at, label in enumerate(shape.labels)}
    config["label2id"] = {label: at for at, label in enumerate(shape.labels)}
    _write(folder / "config.json", config | dict(shape.config))
    save_file(_weights(config, shape, seed), folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": shape.tokenizer_class, "model_max_length": LIMIT, **special_of(shape.architecture)}
    _write(folder / "tokenizer_config.json", said | dict(shape.tokens))
    if shape.said is not None:
        _write(folder / "config_sentence_transformers.json", dict(shape.said))
        module = "sentence_transformers.base.modules.transformer.Transformer"
        _write(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": module}])
        settings = {"transformer_task": "sequence-classification", "module_output_name": "scores"}
        method = {"text": {"method": "forward", "method_output_name": "logits"}}
        _write(folder / "sentence_bert_config.json", settings | {"modality_config": method})
    return folder


def _weights(config: dict[str, Any], shape: Shape, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    prefix = {"bert": "bert", "distilbert": "distilbert", "mpnet": "mpnet"}.get(shape.architecture, "roberta")
    tensors = {f"{prefix}.{name}": tensor for name, tensor in weights_of(config, rng, shape.sizes).items()}
    width = shape.sizes.width
    for name, out in zip(LAYERS.get(shape.architecture, HEAD), (width, len(shape.labels)), strict=True):
        tensors[f"{name}.weight"] = rng.normal(0, 0.3, (out, width)).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.3, out).astype(np.float32)
    return tensors


def _write(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data))
