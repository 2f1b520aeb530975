"""The modules of a sentence-transformers repository: where its transformer is, and what stands behind it, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embassay.engine.fields import Fields, Json, inside, need_fields, read_fields, read_json
from embassay.engine.heads.pooled import POOLINGS
from embassay.engine.heads.steps import DenseLayer, HeadStep, LayerNorm, Normalize
from embassay.engine.unsupported import damaged, needs_torch
from embassay.engine.weights import SINGLE, read_tensors
from embassay.errors import ModelUnsupported

OURS = "sentence_transformers."
"""Where the types of modules come from whose code is not the repository's own."""
VECTOR = "sentence_embedding"
"""What modules behind the pooling read and write, unless they say otherwise."""
BERT_FILES = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""Names under which the settings of a transformer module are kept; the first that says anything counts."""


@dataclass(frozen=True, slots=True)
class Modules:
    """What modules.json and the files of its modules say."""

    transformer: Path
    """Its folder."""
    settings: Fields
    """Of the transformer module: its token limit and lower-casing."""
    poolings: Sequence[str]
    steps: Sequence[HeadStep]
    prompt_is_pooled: bool
    """Whether the tokens of a prompt count."""


def read_modules(model: str, folder: Path) -> Modules:
    """The modules in `folder`; without modules.json a transformer with mean pooling, as the reference takes it.

    Raises ModelUnsupported for modules that the engine cannot run.
    """
    modules = listed_modules(model, folder)
    if modules is None:
        return _bare(model, folder)
    kinds = [module.kind for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise _cannot_run(model, f"its modules ({', '.join(kinds)}): expected a Transformer and a Pooling first")
    transformer = modules[0].folder
    poolings, prompt_is_pooled = _pooling(need_fields(modules[1].folder / "config.json"), model)
    steps: list[HeadStep] = []
    for module in modules[2:]:
        if module.kind not in _STEPS:
            raise _cannot_run(model, f"its module {module.kind!r}")
        steps += _STEPS[module.kind](module.folder, model)
    return Modules(transformer, transformer_settings(transformer), poolings, _once(steps), prompt_is_pooled)


@dataclass(frozen=True, slots=True)
class Listed:
    """A module as modules.json names it."""

    kind: str
    """The name of its class, which is one of sentence-transformers."""
    folder: Path


def listed_modules(model: str, folder: Path) -> Sequence[Listed] | None:
    """The modules in modules.json, in order; None where there is no such file.

    Raises ModelUnsupported for a file that does not list them, and for code of the repository's own.
    """
    listed = read_json(folder / "modules.json")
    if listed is None:
        return None
    file = folder / "modules.json"
    entries = [_Entry.read(one, file) for one in listed] if isinstance(listed, list) else []
    if not entries or len({entry.name for entry in entries}) < len(entries):
        raise damaged(f"{file} is not a list of modules with a name each.")
    return [Listed(_kind(entry, model), inside(folder, entry.path, file)) for entry in entries]


def transformer_settings(folder: Path) -> Fields:
    """The settings of the transformer module in `folder`; empty where no file says any."""
    said = (read_fields(folder / name) for name in BERT_FILES)
    return next((one for one in said if one.values), Fields(folder / BERT_FILES[0], {}))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    type: str
    path: str

    @classmethod
    def read(cls, entry: Json, file: Path) -> _Entry:
        if not isinstance(entry, dict):
            raise damaged(f"{file} is not a list of modules.")
        one = Fields(file, entry)
        if "type" not in one or "path" not in one:
            raise damaged(f"{file}: a module has no 'type' or no 'path'.")
        return cls(str(entry.get("name")), one.text("type"), one.text("path"))


def _bare(model: str, folder: Path) -> Modules:
    config = need_fields(folder / "config.json")
    architectures = [name for name in config.list("architectures") if isinstance(name, str)]
    causal = architectures and architectures[0].endswith("ForCausalLM") and config.flag("is_causal", default=True)
    template = read_fields(folder / "tokenizer_config.json")
    if "chat_template" in template or (folder / "chat_template.jinja").is_file():
        raise _cannot_run(model, "a bare transformer with a chat template")
    return Modules(folder, Fields(folder / BERT_FILES[0], {}), ("last" if causal else "mean",), (), True)


def _kind(entry: _Entry, model: str) -> str:
    if not entry.type.startswith(OURS):
        raise _cannot_run(model, f"code of its repository (the module {entry.type!r})")
    return entry.type.rsplit(".", 1)[-1]


def _pooling(config: Fields, model: str) -> tuple[Sequence[str], bool]:
    """Our names of the poolings that a file asks for, by flags or by name. Raises ModelUnsupported for any other."""
    aliases = {pooling.alias or name: name for name, pooling in POOLINGS.items()}
    said = config.values.get("pooling_mode")
    if said is None:
        chosen = [name for name, pooling in POOLINGS.items() if config.flag(pooling.flag)] or ["mean"]
        known = {pooling.flag for pooling in POOLINGS.values()}
        unknown = [k for k, v in config.values.items() if k.startswith("pooling_mode_") and v and k not in known]
    else:
        names = [str(one) for one in said] if isinstance(said, list) else [str(said)]
        chosen = [aliases[name] for name in names if name in aliases]
        unknown = [name for name in names if name not in aliases]
    if unknown or not chosen:
        raise _cannot_run(model, f"its pooling ({', '.join([*chosen, *unknown]) or 'none'})")
    return tuple(chosen), config.flag("include_prompt", default=True)


def _dense(folder: Path, model: str) -> list[HeadStep]:
    config = need_fields(folder / "config.json")
    _check_keys(config, model)
    if config.flag("use_residual"):
        raise _cannot_run(model, "a dense layer with a residual connection")
    if "activation_function" in config.values and "activation_function" not in config:
        raise damaged(f"{config.path}: 'activation_function' is null.")
    said = config.text("activation_function", "torch.nn.modules.activation.Tanh")
    if said.startswith("torch.") and not said.startswith("torch.nn."):
        raise _cannot_run(model, f"the activation {said!r} of a dense layer")
    name = said.rsplit(".", 1)[-1] if said.startswith("torch.") else "Tanh"  # what the reference makes of other code
    tensors = _tensors(folder, model)
    wanted = ["linear.weight", "linear.bias"] if config.flag("bias", default=True) else ["linear.weight"]
    _check_names(tensors, wanted, folder, model)
    return [DenseLayer(tensors["linear.weight"], tensors.get("linear.bias"), name)]


def _layer_norm(folder: Path, model: str) -> list[HeadStep]:
    tensors = _tensors(folder, model)
    _check_names(tensors, ["norm.weight", "norm.bias"], folder, model)
    return [LayerNorm(tensors["norm.weight"], tensors["norm.bias"])]


def _normalize(folder: Path, model: str) -> list[HeadStep]:
    _check_keys(read_fields(folder / "config.json"), model)
    return [Normalize()]


def _nothing(folder: Path, model: str) -> list[HeadStep]:  # noqa: ARG001 - as its siblings
    return []


_STEPS: Mapping[str, Callable[[Path, str], list[HeadStep]]] = {
    "Dense": _dense,
    "LayerNorm": _layer_norm,
    "Normalize": _normalize,
    "Dropout": _nothing,
}
"""By the name of the module's class; dropout is for training."""


def _check_keys(config: Fields, model: str) -> None:
    """Raises ModelUnsupported for a module that works on tokens, or keeps its result beside the vector."""
    for key in ("module_input_name", "module_output_name"):
        if config.text(key, VECTOR) != VECTOR:
            raise _cannot_run(model, f"a module whose {key} is {config.values[key]!r}")


def _tensors(folder: Path, model: str) -> Mapping[str, Json]:
    if not (folder / SINGLE).is_file():
        pickled = " only pytorch_model.bin, which could run code" if (folder / "pytorch_model.bin").is_file() else ""
        raise needs_torch(f"{model}: {folder} has no {SINGLE},{pickled}." if pickled else f"{folder} has no {SINGLE}.")
    return {name: np.array(tensor.values()) for name, tensor in read_tensors(folder / SINGLE).items()}


def _check_names(tensors: Mapping[str, Json], wanted: Sequence[str], folder: Path, model: str) -> None:
    for name in wanted:
        if name not in tensors:
            raise damaged(f"{model}: {name!r} is missing in {folder}.")
    if extra := sorted(set(tensors) - set(wanted)):
        raise needs_torch(f"{model}: {folder} holds {extra[0]!r}, which its configuration does not name.")


def _once(steps: Sequence[HeadStep]) -> Sequence[HeadStep]:
    """`steps` without normalisation of what has length 1 already."""
    return tuple(
        step for at, step in enumerate(steps) if not (at and isinstance(step, Normalize) and step == steps[at - 1])
    )


def _cannot_run(model: str, what: str) -> ModelUnsupported:
    return needs_torch(f"{model}: the local engine cannot run {what}.")
