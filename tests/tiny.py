"""Small random-weight models of every supported architecture, written as sentence-transformers repositories.

Weights come from a seed, so that golden vectors can be kept without the weights that made them:
`python tests/make_golden.py` (with sentence-transformers installed) writes them with the reference library.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH, HEADS, LAYERS, INNER, POSITIONS = 32, 4, 2, 64, 40
WORDS = "the a of key rotate search index vector space model text code proxy server query document".split()

TEXTS = [
    "rotate the key",
    "a",
    "The Search index of a vector space model",
    "query, document; text code! proxy server?",
    "zzz unknown wörds 123",
    " ".join(WORDS * 5),
]


@dataclass(frozen=True)
class Sizes:
    """Of an encoder."""

    width: int = WIDTH
    heads: int = HEADS
    layers: int = LAYERS
    inner: int = INNER


@dataclass(frozen=True)
class Case:
    """What varies between the golden models."""

    architecture: str
    pooling: str = "mean"
    normalise: bool = True
    dense: str = ""
    activation: str = "gelu"
    prompts: dict[str, str] = field(default_factory=dict)
    lower_case: bool = False
    max_tokens: int = 24


CASES = {
    "bert": Case("bert"),
    "bert-cls": Case("bert", pooling="cls"),
    "bert-max-raw": Case("bert", pooling="max", normalise=False),
    "bert-last": Case("bert", pooling="lasttoken"),
    "bert-dense": Case("bert", pooling="cls", dense="torch.nn.modules.activation.Tanh"),
    "bert-relu": Case("bert", activation="relu"),
    "bert-tanh-gelu": Case("bert", activation="gelu_new"),
    "bert-prompts": Case("bert", prompts={"query": "query: ", "document": "text: "}, lower_case=True),
    "roberta": Case("roberta"),
    "xlm-roberta": Case("xlm-roberta", pooling="cls"),
    "mpnet": Case("mpnet"),
    "distilbert": Case("distilbert"),
}

POOLING_FLAGS = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def write_model(folder: Path, case: Case, seed: int = 7) -> Path:
    """Write the repository of `case` into `folder`."""
    tokenizer = _tokenizer(case.architecture)
    rng = np.random.default_rng(seed)
    config = config_of(case, tokenizer.get_vocab_size())
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights_of(config, rng), folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    special = special_of(case.architecture)
    modules = [_module(0, "", "Transformer"), _module(1, "1_Pooling", "Pooling")]
    if case.dense:
        modules.append(_module(2, "2_Dense", "Dense"))
        weight = rng.normal(0, 0.3, (16, WIDTH)).astype(np.float32)
        (folder / "2_Dense").mkdir(exist_ok=True)
        save_file(
            {"linear.weight": weight, "linear.bias": rng.normal(0, 0.3, 16).astype(np.float32)},
            folder / "2_Dense/model.safetensors",
        )
        dense = {"in_features": WIDTH, "out_features": 16, "bias": True, "activation_function": case.dense}
        _write(folder / "2_Dense/config.json", dense)
    if case.normalise:
        modules.append(_module(3, "3_Normalize", "Normalize"))
    flags = {flag: name == case.pooling for name, flag in POOLING_FLAGS.items()}
    _write(folder / "config.json", config)
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling/config.json", {"word_embedding_dimension": WIDTH, **flags})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": case.max_tokens, "do_lower_case": case.lower_case})
    _write(folder / "config_sentence_transformers.json", {"prompts": case.prompts})
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": case.max_tokens, **special},
    )
    return folder


def _module(index: int, path: str, kind: str) -> dict[str, Any]:
    return {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}


def special_of(architecture: str) -> dict[str, str]:
    bert = architecture in {"bert", "distilbert"}
    first, last, pad = ("[CLS]", "[SEP]", "[PAD]") if bert else ("<s>", "</s>", "<pad>")
    return {"cls_token": first, "sep_token": last, "pad_token": pad, "unk_token": "[UNK]"}


def _tokenizer(architecture: str) -> Tokenizer:
    special = special_of(architecture)
    bert = architecture in {"bert", "distilbert"}
    order = ["pad_token", "cls_token", "sep_token"] if bert else ["cls_token", "pad_token", "sep_token"]
    names = [special[name] for name in order] + ["[UNK]"]
    letters = list(string.ascii_letters + string.digits + ",;!?:")
    pieces = names + letters + ["##" + c for c in string.ascii_letters + string.digits] + WORDS + ["Search", "The"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = special["cls_token"], special["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, vocabulary[first]), (last, vocabulary[last])]
    )
    tokenizer.add_special_tokens(names)
    return tokenizer


def config_of(case: Case, vocabulary: int, sizes: Sizes = Sizes()) -> dict[str, Any]:
    shared = {"model_type": case.architecture, "vocab_size": vocabulary, "max_position_embeddings": POSITIONS}
    if case.architecture == "distilbert":
        said = {"dim": sizes.width, "n_layers": sizes.layers, "n_heads": sizes.heads, "hidden_dim": sizes.inner}
        own = {"activation": case.activation, "pad_token_id": 0, "architectures": ["DistilBertModel"]}
        return shared | said | own
    return shared | {
        "architectures": [
            {"bert": "Bert", "xlm-roberta": "XLMRoberta", "mpnet": "MPNet"}.get(
                case.architecture, case.architecture.title()
            )
            + "Model"
        ],
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "hidden_act": case.activation,
        "layer_norm_eps": 1e-5 if case.architecture != "bert" else 1e-12,
        "pad_token_id": 0 if case.architecture == "bert" else 1,
        "type_vocab_size": 2 if case.architecture == "bert" else 1,
        "relative_attention_num_buckets": 32,
    }


def write_onnx(folder: Path) -> Path:
    """A model whose repository has a graph of its own: an embedding table, to be pooled."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    write_model(folder, CASES["bert"])
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"bert"', '"other"'))
    table = np.random.default_rng(1).normal(size=(200, 32)).astype(np.float32)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["b", "s"])
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "s", 32])
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])], "g", [ids, mask], [out],
        [numpy_helper.from_array(table, "table")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "onnx").mkdir()
    onnx.save(model, folder / "onnx/model.onnx")
    return folder


NAMES = {
    "mpnet": ("encoder.layer.{i}.", "attention.attn.q attention.attn.k attention.attn.v attention.attn.o".split(),
              "attention.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"),
    "distilbert": ("transformer.layer.{i}.", "attention.q_lin attention.k_lin attention.v_lin attention.out_lin".split(),
                   "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm"),
    "bert": ("encoder.layer.{i}.",
             "attention.self.query attention.self.key attention.self.value attention.output.dense".split(),
             "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm"),
}  # fmt: skip


def weights_of(config: dict[str, Any], rng: np.random.Generator, sizes: Sizes = Sizes()) -> dict[str, np.ndarray]:
    architecture, width = config["model_type"], sizes.width
    layer, attention, norm1, up, down, norm2 = NAMES.get(architecture, NAMES["bert"])
    tensors: dict[str, np.ndarray] = {}

    def add(name: str, *shape: int, around: float = 0.0) -> None:
        tensors[name] = rng.normal(around, 0.3, shape).astype(np.float32)

    def add_norm(name: str) -> None:
        add(name + ".weight", width, around=1.0)
        add(name + ".bias", width)

    add("embeddings.word_embeddings.weight", config["vocab_size"], width)
    add("embeddings.position_embeddings.weight", POSITIONS, width)
    if architecture not in {"mpnet", "distilbert"}:
        add("embeddings.token_type_embeddings.weight", config["type_vocab_size"], width)
    add_norm("embeddings.LayerNorm")
    if architecture == "mpnet":
        add("encoder.relative_attention_bias.weight", 32, sizes.heads)
    for i in range(sizes.layers):
        at = layer.format(i=i)
        for name, rows, columns in [
            *((n, width, width) for n in attention),
            (up, sizes.inner, width),
            (down, width, sizes.inner),
        ]:
            add(at + name + ".weight", rows, columns)
            add(at + name + ".bias", rows)
        add_norm(at + norm1)
        add_norm(at + norm2)
    return tensors


def _write(file: Path, data: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))
