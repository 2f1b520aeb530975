"""What the repository of a cross-encoder says about itself: a transformer that classifies pairs of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embassay.engine.encoder import Encoder, read_encoder
from embassay.engine.fields import Fields, need_fields, read_fields
from embassay.engine.heads.activations import ACTIVATIONS
from embassay.engine.layouts import LAYOUTS
from embassay.engine.modules import listed_modules, transformer_settings
from embassay.engine.spec import check_settings, token_limit
from embassay.engine.unsupported import damaged, needs_torch
from embassay.errors import ModelUnsupported

TASK = "ForSequenceClassification"
"""How the names of the classes end that transformers has for such models."""
_USUAL: Mapping[str, object] = {
    "transformer_task": "sequence-classification",
    "module_output_name": "scores",
    "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
}


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """A cross-encoder as its repository describes it."""

    id: str
    folder: Path
    """Of its transformer, where weights and tokenizer are read from."""
    architecture: str
    """Its ``model_type``."""
    labels: Sequence[str] | None
    """Their names, in order; None where its configuration does not say how many there are."""
    activation: str
    """What its scores are passed through, as `ACTIVATIONS` has it; empty where it is left to the number of labels."""
    max_tokens: int
    """Of a pair, special tokens included."""
    lower_case: bool
    tokenizer_class: str
    prompt: str
    """Put before every query."""

    def encoder(self) -> Encoder:
        """The settings that its encoder is built with. Raises ModelUnsupported for those that cannot be built."""
        return read_encoder(need_fields(self.folder / "config.json"), self.id)


def read_classifier_spec(model: str, folder: Path) -> ClassifierSpec:
    """Read `folder` as a cross-encoder of sentence-transformers, or as a model of transformers that classifies.

    Raises ModelUnsupported for what is none, and for what the engine cannot run as the reference does.
    """
    modules = listed_modules(model, folder)
    said = read_fields(folder / "config_sentence_transformers.json") if modules else Fields(folder, {})
    kinds = [module.kind for module in modules or ()]
    transformer = modules[0].folder if modules else folder
    settings = transformer_settings(transformer) if modules else Fields(folder, {})
    if modules and said.text("model_type", "SentenceTransformer") != "CrossEncoder":
        raise _no_cross_encoder(model, f"it is a {said.text('model_type', 'SentenceTransformer')} of {_listed(kinds)}")
    if modules and kinds != ["Transformer"]:
        raise needs_torch(f"{model}: the local engine runs cross-encoders of a Transformer, this is {_listed(kinds)}.")
    check_settings(settings, model, _USUAL)
    if (transformer / "adapter_config.json").is_file():
        raise needs_torch(f"{model}: it is an adapter for another model (adapter_config.json).")
    config = need_fields(transformer / "config.json")
    _check_classifies(config, model)
    return ClassifierSpec(
        id=model,
        folder=transformer,
        architecture=config.text("model_type", "unknown"),
        labels=_labels(config),
        activation=_activation(said, config, model),
        max_tokens=token_limit(config, settings),
        lower_case=settings.flag("do_lower_case"),
        tokenizer_class=config.text("tokenizer_class"),
        prompt=_prompt(said),
    )


def _check_classifies(config: Fields, model: str) -> None:
    names = [name for name in config.list("architectures") if isinstance(name, str)]
    if names and not names[0].endswith(TASK):
        raise _no_cross_encoder(model, f"{config.path.name} says {names[0]}, which has no classifier")
    architecture = config.text("model_type", "unknown")
    if architecture not in LAYOUTS:
        raise needs_torch(
            f"{model}: the local engine builds cross-encoders of {', '.join(LAYOUTS)}; this is {architecture!r}."
        )


def _no_cross_encoder(model: str, found: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"{model} is no cross-encoder: {found}; expected a model for sequence classification (...{TASK}).",
        remedy="Name a cross-encoder. A model that makes vectors is named where vectors are made.",
    )


def _listed(kinds: Sequence[str]) -> str:
    return f"the modules {', '.join(kinds)}"


def _labels(config: Fields) -> Sequence[str] | None:
    """The names of the labels, as transformers counts them: those that are listed, unless their number is said."""
    named = config.texts("id2label")
    count = config.integer("num_labels", len(named), least=0)
    if named and count == len(named):
        try:
            return [named[key] for key in sorted(named, key=int)]
        except ValueError as error:
            raise damaged(f"{config.path}: 'id2label' has keys that are no numbers.") from error
    return [f"LABEL_{at}" for at in range(count)] or None


def _activation(said: Fields, config: Fields, model: str) -> str:
    """What the reference passes scores through, as it was saved; code that is not torch's own does not count."""
    older = config.values.get("sentence_transformers")
    saved = Fields(config.path, older if isinstance(older, dict) else {})
    for fields, key in ((said, "activation_fn"), (saved, "activation_fn"), (config, _OLDEST)):
        path = fields.text(key)
        if path.startswith("torch."):
            name = path.rsplit(".", 1)[-1]
            if name not in ACTIVATIONS:
                raise needs_torch(f"{model}: the local engine cannot pass scores through {path!r}.")
            return name
        if path and fields is not said:
            break  # the reference looks no further than the first of the older fields that says anything
    return ""


_OLDEST = "sbert_ce_default_activation_function"


def _prompt(said: Fields) -> str:
    name = said.text("default_prompt_name")
    return said.texts("prompts").get(name, "") if name else ""
