"""Writes model folders of many layouts, small ones, with random weights from a seed; the rows are in `tests/layouts.py`.

`tests/make_golden.py` writes down what sentence-transformers makes of each, and `tests/engine/test_layout_table.py`
compares.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.tiny import WIDTH, WORDS, Case, config_of, special_of, weights_of

LIMIT = 24
SPARE = 16
"""Rows of the table of words beyond the vocabulary, for tokens that tokenizers add."""
TEXTS = [
    "rotate the key",
    "The SEARCH Index",
    "naïve Ärger, wörds",
    "key 索引 空間",
    "a <pad> key [PAD] of [SEP] text </s> space <tool> model",
    "text  with\tspaces  ",
    "zebra " + " ".join(WORDS * 3),
]
ACCENTED = "ïÄöäéáo"
CHINESE = "索引空間"


@dataclass(frozen=True)
class Row:
    """One layout. Mappings are merged into the files of that name; a value of None takes a field out."""

    architecture: str = "bert"
    tokenizer: str = "wordpiece"
    """``wordpiece``, ``byte-level`` or ``unigram``."""
    tokenizer_class: str | None = "PreTrainedTokenizerFast"
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """sentence_bert_config.json."""
    settings_name: str = "sentence_bert_config.json"
    tokens: Mapping[str, Any] = field(default_factory=dict)
    """tokenizer_config.json."""
    stored: Mapping[str, Any] = field(default_factory=dict)
    """tokenizer.json."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """config_sentence_transformers.json."""
    pooling: Any = "mean"
    """A mode, several, or the whole of the pooling's configuration."""
    modules: Sequence[str] = ("Normalize",)
    """Behind the pooling: ``Normalize``, ``Dense:Tanh:16``, ``Dense:none:16:no-bias`` and so on."""
    weights: str = ""
    """``sharded``, ``prefix``, ``gamma``, ``f16``, ``bf16``, ``pickled``, ``extra``, ``missing``."""
    folder: str = ""
    """Of the transformer; a root configuration is left out where this is set."""
    write: Mapping[str, Any] = field(default_factory=dict)
    """Files of the transformer's folder to write; None removes one."""
    bare: bool = False
    """Without modules.json."""
    refused: str = ""
    """What the refusal says, where the engine does not run it."""


def write_layout(folder: Path, row: Row, seed: int = 11) -> Path:
    """Write the repository of `row` into `folder`."""
    inner = folder / row.folder
    inner.mkdir(parents=True, exist_ok=True)
    tokenizer = TOKENIZERS[row.tokenizer](row.architecture)
    case = Case(row.architecture, max_tokens=LIMIT)
    config = config_of(case, tokenizer.get_vocab_size() + SPARE) | {"initializer_range": 0.02}
    rng = np.random.default_rng(seed)
    _write(inner / "config.json", _merged(config, row.config))
    _write_weights(inner, weights_of(_merged(config, _sizes(row.config)), rng), row)
    _write_tokenizer(inner, tokenizer, row)
    if not row.bare:
        _write_modules(folder, row, rng)
    for name, content in row.write.items():
        if content is None:
            (inner / name).unlink()
        elif isinstance(content, str):
            (inner / name).write_text(content)
        else:
            _write(inner / name, content)
    return folder


def _sizes(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key in {"num_hidden_layers", "n_layers"}}


def _write_tokenizer(inner: Path, tokenizer: Tokenizer, row: Row) -> None:
    stored = _merged(json.loads(tokenizer.to_str()), row.stored)
    _write(inner / "tokenizer.json", stored)
    said = {"tokenizer_class": row.tokenizer_class, "model_max_length": LIMIT, **special_of(row.architecture)}
    _write(inner / "tokenizer_config.json", _merged({k: v for k, v in said.items() if v is not None}, row.tokens))
    if row.tokenizer == "wordpiece":
        vocabulary = sorted(stored["model"]["vocab"].items(), key=lambda item: item[1])
        (inner / "vocab.txt").write_text("".join(f"{piece}\n" for piece, _ in vocabulary))
    if row.tokenizer == "byte-level":
        _write(inner / "vocab.json", stored["model"]["vocab"])
        merges = "".join(" ".join(pair) + "\n" for pair in stored["model"]["merges"])
        (inner / "merges.txt").write_text("#version: 0.2\n" + merges)


def _write_modules(folder: Path, row: Row, rng: np.random.Generator) -> None:
    inner = folder / row.folder
    _write(inner / row.settings_name, _merged({"max_seq_length": LIMIT, "do_lower_case": False}, row.settings))
    _write(folder / "config_sentence_transformers.json", dict(row.said))
    pooling = row.pooling if isinstance(row.pooling, Mapping) else {"pooling_mode": row.pooling}
    _write(folder / "1_Pooling/config.json", {"word_embedding_dimension": WIDTH, **pooling})
    modules = [("Transformer", row.folder), ("Pooling", "1_Pooling")]
    width = WIDTH * (1 if isinstance(row.pooling, str | Mapping) else len(row.pooling))
    for number, module in enumerate(row.modules, start=2):
        kind, *options = module.split(":")
        path = f"{number}_{kind}"
        (folder / path).mkdir(exist_ok=True)
        modules.append((kind, path))
        if kind == "Dense":
            width = _write_dense(folder / path, options, width, rng)
        if kind == "LayerNorm":
            _write(folder / path / "config.json", {"dimension": width})
            save_file(
                {"norm.weight": _some(rng, width) + 1, "norm.bias": _some(rng, width)},
                folder / path / "model.safetensors",
            )
        if kind == "Dropout":
            _write(folder / path / "config.json", {"dropout": 0.2})
    entries = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(modules)
    ]
    _write(folder / "modules.json", entries)


def _write_dense(folder: Path, options: Sequence[str], width: int, rng: np.random.Generator) -> int:
    activation, out, *flags = options
    tensors = {"linear.weight": _some(rng, int(out), width), "linear.bias": _some(rng, int(out))}
    config: dict[str, Any] = {"in_features": width, "out_features": int(out), "bias": "no-bias" not in flags}
    if activation != "unsaid":
        config["activation_function"] = ACTIVATIONS.get(activation, activation)
    if "no-bias" in flags:
        del tensors["linear.bias"]
    if "residual" in flags:
        config["use_residual"] = True
        tensors["residual.weight"] = _some(rng, int(out), width)
    _write(folder / "config.json", config)
    if "pickled" in flags:
        (folder / "pytorch_model.bin").write_bytes(b"not opened")
    else:
        save_file(tensors, folder / "model.safetensors")
    return int(out)


ACTIVATIONS = {
    "Tanh": "torch.nn.modules.activation.Tanh",
    "none": "torch.nn.modules.linear.Identity",
    "GELU": "torch.nn.modules.activation.GELU",
    "Sigmoid": "torch.nn.modules.activation.Sigmoid",
    "SiLU": "torch.nn.modules.activation.SiLU",
    "ReLU": "torch.nn.modules.activation.ReLU",
    "Mish": "torch.nn.modules.activation.Mish",
}


def _some(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(0, 0.3, shape).astype(np.float32)


def _write_weights(inner: Path, tensors: dict[str, np.ndarray], row: Row) -> None:
    prefix = {"distilbert": "distilbert", "mpnet": "mpnet", "bert": "bert"}.get(row.architecture, "roberta")
    tensors = dict(tensors)
    if row.weights in {"prefix", "sharded"}:
        tensors = {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}
    if row.weights == "gamma":
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        for new, name in old.items():
            tensors = {key.replace(new, name): tensor for key, tensor in tensors.items()}
    if row.weights == "extra":
        tensors |= {
            "pooler.dense.weight": np.ones((WIDTH, WIDTH), np.float32),
            "cls.predictions.bias": np.ones(9, np.float32),
        }
    if row.weights == "missing":
        tensors.pop("embeddings.LayerNorm.weight")
    if row.weights == "f16":
        tensors = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    if row.weights == "sharded":
        _write_shards(inner, tensors)
    elif row.weights == "bf16":
        (inner / "model.safetensors").write_bytes(bfloat16(tensors))
    else:
        save_file(tensors, inner / "model.safetensors", metadata={"format": "pt"})
    if row.weights == "pickled":
        (inner / "model.safetensors").rename(inner / "pytorch_model.bin")


def _write_shards(inner: Path, tensors: dict[str, np.ndarray]) -> None:
    names, where = sorted(tensors), {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, inner / file, metadata={"format": "pt"})
        where |= dict.fromkeys(part, file)
    _write(inner / "model.safetensors.index.json", {"metadata": {"total_size": 1}, "weight_map": where})


def bfloat16(tensors: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a safetensors file of `tensors`, cut to bfloat16."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    blob = b""
    for name, tensor in tensors.items():
        bits = (np.ascontiguousarray(tensor).view(np.uint32) >> 16).astype(np.uint16).tobytes()
        at = [len(blob), len(blob) + len(bits)]
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": at}
        blob += bits
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + blob


def _wordpiece(architecture: str) -> Tokenizer:
    special = special_of(architecture)
    order = ("pad_token", "cls_token", "sep_token", "unk_token")
    names = list(dict.fromkeys(special[name] for name in order))
    letters = list(string.ascii_letters + string.digits + ",;!?:<>[]/" + ACCENTED + CHINESE)
    pieces = [*names, *letters, *("##" + c for c in letters), *WORDS, "Search", "The", "SEARCH", "naive", "##索"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return _framed(made, special, names)


def _byte_level(architecture: str) -> Tokenizer:
    special = special_of(architecture)
    names = list(
        dict.fromkeys((special["cls_token"], special["pad_token"], special["sep_token"], special["unk_token"]))
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("k", "e"), ("ke", "y"), ("Ġ", "key"), ("o", "f"), ("Ġ", "of")]
    pieces = [*names, *alphabet, *(a + b for a, b in merges)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.BPE(vocabulary, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return _framed(made, special, names)


def _unigram(architecture: str) -> Tokenizer:
    special = special_of(architecture)
    names = [special["cls_token"], special["pad_token"], special["sep_token"], "<unk>"]
    letters = list(string.ascii_letters + string.digits + ",;!?:<>[]/▁" + ACCENTED + CHINESE)
    scored = [(name, 0.0) for name in names] + [(c, -6.0 - i / 100) for i, c in enumerate(letters)]
    scored += [("▁" + word, -2.0 - i / 10) for i, word in enumerate(WORDS)] + [("▁索引", -3.5)]
    made = Tokenizer(models.Unigram(scored, unk_id=3, byte_fallback=False))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return _framed(made, special, names)


def _framed(made: Tokenizer, special: Mapping[str, str], names: Sequence[str]) -> Tokenizer:
    first, last = special["cls_token"], special["sep_token"]
    ids = [(name, made.token_to_id(name)) for name in (first, last)]
    made.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ids)
    made.add_special_tokens(list(names))
    return made


TOKENIZERS = {"wordpiece": _wordpiece, "byte-level": _byte_level, "unigram": _unigram}


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged


def _write(file: Path, data: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data))
