"""What a model repository says about itself, read from its JSON files alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embassay.engine.heads.pooled import POOLINGS
from embassay.engine.layouts import LAYOUTS
from embassay.engine.unsupported import needs_torch
from embassay.errors import ModelUnsupported

ROLE_PROMPTS = {"query": ("query",), "document": ("document", "passage", "corpus")}
"""Names under which repositories keep the prompt of a role, most usual first."""


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """A dense layer after pooling: its folder and its activation."""

    folder: str
    activation: str
    bias: bool


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its repository describes it."""

    id: str
    folder: Path
    config: Mapping[str, Any]
    pooling: str
    dense: tuple[DenseLayer, ...]
    normalise: bool
    prompts: Mapping[str, str]
    """Role to prompt; a role without one is absent."""
    max_tokens: int
    """Special tokens and prompt included."""
    lower_case: bool

    @property
    def architecture(self) -> str:
        """Its ``model_type``; ``unknown`` where it states none."""
        return str(self.config.get("model_type", "unknown"))


def read_spec(model_id: str, folder: Path) -> ModelSpec:
    """Read `folder` as a sentence-transformers repository, or as a bare transformer with mean pooling.

    Raises ModelUnsupported for modules or poolings that the engine cannot run.
    """
    config = _json(folder / "config.json")
    transformer, pooling, dense, normalise = "", "mean", [], False
    modules = _json(folder / "modules.json", [{"type": "Transformer", "path": ""}, {"type": "Pooling", "path": ""}])
    for module in modules:
        kind, path = module["type"].rsplit(".", 1)[-1], module["path"]
        if kind == "Transformer":
            transformer = path
        elif kind == "Pooling":
            pooling = _pooling(_json(folder / path / "config.json") if path else {"pooling_mode": "mean"}, model_id)
        elif kind == "Dense":
            layer = _json(folder / path / "config.json")
            activation = str(layer.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
            dense.append(DenseLayer(path, activation, bool(layer.get("bias", True))))
        elif kind == "Normalize":
            normalise = True
        elif kind != "Dropout":
            raise _cannot_run(model_id, f"its module {kind!r}")
    if transformer:
        config = _json(folder / transformer / "config.json", config)
    sentence_bert = _json(folder / transformer / "sentence_bert_config.json", {})
    st_config = _json(folder / "config_sentence_transformers.json", {})
    return ModelSpec(
        id=model_id,
        folder=folder / transformer,
        config=config,
        pooling=pooling,
        dense=tuple(DenseLayer(str((folder / d.folder).resolve()), d.activation, d.bias) for d in dense),
        normalise=normalise,
        prompts=_prompts(st_config.get("prompts") or {}),
        max_tokens=_max_tokens(config, sentence_bert, _json(folder / transformer / "tokenizer_config.json", {})),
        lower_case=bool(sentence_bert.get("do_lower_case", False)),
    )


def _pooling(config: Mapping[str, Any], model_id: str) -> str:
    """Our name of the pooling that a file asks for, by flags or by name. Raises ModelUnsupported for any other."""
    chosen = [name for name, pooling in POOLINGS.items() if config.get(pooling.flag)]
    if isinstance(named := config.get("pooling_mode"), str):
        chosen = [next((name for name, pooling in POOLINGS.items() if pooling.alias == named), named)]
    flags = {pooling.flag for pooling in POOLINGS.values()}
    others = [k for k, v in config.items() if k.startswith("pooling_mode_") and v is True and k not in flags]
    if len(chosen) != 1 or others or chosen[0] not in POOLINGS:
        raise _cannot_run(model_id, f"its pooling ({', '.join(chosen + others) or 'none'})")
    if config.get("include_prompt") is False:
        raise _cannot_run(model_id, "pooling that leaves the prompt out")
    return chosen[0]


def _prompts(stored: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for role, names in ROLE_PROMPTS.items():
        prompt = next((stored[name] for name in names if stored.get(name)), "")
        if prompt:
            found[role] = prompt
    return found


def _max_tokens(config: Mapping[str, Any], sentence_bert: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> int:
    positions = int(config.get("max_position_embeddings") or 1 << 30) - position_offset(config)
    stated = sentence_bert.get("max_seq_length") or tokenizer.get("model_max_length") or positions
    return int(min(stated, positions))


def position_offset(config: Mapping[str, Any]) -> int:
    """Rows of the position table that are never used: some architectures start behind the padding id."""
    layout = LAYOUTS.get(config.get("model_type", ""))
    return int(config.get("pad_token_id") or 1) + 1 if layout and layout.positions_behind_padding else 0


def _cannot_run(model_id: str, what: str) -> ModelUnsupported:
    return needs_torch(f"{model_id}: the local engine cannot run {what}.")


def _json(path: Path, default: Any = None) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if default is not None:
            return default
        raise ModelUnsupported(f"{path.parent} holds no {path.name}, so it is not a model repository.") from None
    except (OSError, ValueError) as error:
        raise ModelUnsupported(f"{path} cannot be read: {error}.", remedy="Download the model again.") from error
