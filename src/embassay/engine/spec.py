"""What a model repository says about itself, read from its JSON files and typed: all that is built and run from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from embassay.engine.encoder import Encoder, read_encoder
from embassay.engine.fields import Fields, need_fields, read_fields
from embassay.engine.heads.pooled import Head
from embassay.engine.heads.steps import FirstDimensions, HeadStep, fits, normalised
from embassay.engine.layouts import LAYOUTS
from embassay.engine.modules import Modules, read_modules
from embassay.engine.prompts import RolePrompts, read_prompts
from embassay.engine.unsupported import damaged, needs_torch
from embassay.errors import ModelUnsupported
from embassay.space import Similarity

SIMILARITIES: Mapping[str, Similarity] = {"cosine": "cosine", "dot": "dot", "dot_product": "dot", "dot-product": "dot"}
"""Names that repositories and cards have for how vectors are compared."""
NO_LIMIT = 1 << 30


class Described(Protocol):
    """A model as far as its weights are concerned."""

    @property
    def architecture(self) -> str:
        """Its ``model_type``."""


ReadSpec = Callable[[str, Path], Described]
"""Reads the repository of a model in a folder. Raises ModelUnsupported."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its repository describes it."""

    id: str
    folder: Path
    """Of its transformer, where weights and tokenizer are read from."""
    architecture: str
    """Its ``model_type``; ``unknown`` where it states none."""
    width: int | None
    """Of the states of its encoder; None where its configuration does not say it."""
    head: Head
    max_tokens: int
    """Special tokens and prompt included."""
    lower_case: bool
    """Whether its modules ask for texts in lower case, whatever its tokenizer does."""
    tokenizer_class: str
    """As config.json names it; its tokenizer's own files come first."""
    similarity: str
    """As the repository names it; empty where it says nothing."""
    stored_prompts: RolePrompts
    prompt_is_pooled: bool

    @property
    def dimensions(self) -> int:
        """Numbers in a vector. Raises ModelUnsupported where its configuration does not say it."""
        if self.width is None:
            raise damaged(f"{self.id}: its config.json does not say how wide its encoder is.")
        return self.head.width(self.width)

    @property
    def pooling(self) -> str:
        """The name of its pooling, or several joined by ``+``."""
        return "+".join(self.head.poolings)

    @property
    def normalised(self) -> bool:
        """Whether its vectors have length 1."""
        return normalised(self.head.steps)

    def encoder(self) -> Encoder:
        """The settings that its encoder is built with. Raises ModelUnsupported for those that cannot be built."""
        return read_encoder(need_fields(self.folder / "config.json"), self.id)


def read_spec(model: str, folder: Path) -> ModelSpec:
    """Read `folder` as a sentence-transformers repository, or as a bare transformer with mean pooling.

    Raises ModelUnsupported for what the engine cannot run as the reference does.
    """
    modules = read_modules(model, folder)
    said = _said_of_all(model, folder)
    check_settings(modules.settings, model, _AT_DEFAULT)
    if (modules.transformer / "adapter_config.json").is_file():
        raise needs_torch(f"{model}: it is an adapter for another model (adapter_config.json).")
    config = need_fields(modules.transformer / "config.json")
    architecture = config.text("model_type", "unknown")
    width = _width(config, architecture)
    head = Head(model, modules.poolings, _steps(modules, said))
    _check_fits(head, width)
    return ModelSpec(
        id=model,
        folder=modules.transformer,
        architecture=architecture,
        width=width,
        head=head,
        max_tokens=token_limit(config, modules.settings),
        lower_case=modules.settings.flag("do_lower_case"),
        tokenizer_class=config.text("tokenizer_class"),
        similarity=said.text("similarity_fn_name"),
        stored_prompts=read_prompts(said),
        prompt_is_pooled=modules.prompt_is_pooled,
    )


def similarity(spec: ModelSpec, card: str = "") -> Similarity:
    """How vectors of a model are compared; a card is asked where the repository says nothing.

    Vectors of length 1 have the same order by dot product, by distance and by cosine: that is called cosine.
    Raises ModelUnsupported for a measure by which sets are not searched.
    """
    said = spec.similarity or card or "cosine"
    if said in SIMILARITIES:
        return "cosine" if spec.normalised else SIMILARITIES[said]
    if said == "euclidean" and spec.normalised:
        return "cosine"
    raise ModelUnsupported(
        f"{spec.id}: its vectors are compared by {said!r}; sets are searched by cosine or dot product.",
        remedy="Choose another model.",
    )


def _said_of_all(model: str, folder: Path) -> Fields:
    """config_sentence_transformers.json, which counts beside modules.json only."""
    said = read_fields(folder / "config_sentence_transformers.json")
    if not (folder / "modules.json").is_file():
        return Fields(said.path, {})
    kind = said.text("model_type", "SentenceTransformer")
    if kind != "SentenceTransformer":
        raise ModelUnsupported(
            f"{model} is a {kind}, which does not make one vector a text.", remedy="Choose a SentenceTransformer."
        )
    return said


_AT_DEFAULT: Mapping[str, object] = {
    "transformer_task": "feature-extraction",
    "module_output_name": "token_embeddings",
    "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
}
_CHANGES = frozenset(
    "model_args model_kwargs tokenizer_args processor_kwargs config_args config_kwargs processing_kwargs query_length "
    "document_length query_expansion tokenizer_name_or_path".split()
)


def check_settings(settings: Fields, model: str, usual: Mapping[str, object]) -> None:
    """Raises ModelUnsupported for settings of the transformer module by which the reference does something else.

    `usual` are the values of those that say what the model is for.
    """
    for key in sorted(settings.values.keys() & (_CHANGES | usual.keys())):
        value = settings.values[key]
        if value and value != usual.get(key):
            raise needs_torch(f"{model}: the local engine cannot follow {key!r} in {settings.path.name}.")


def _width(config: Fields, architecture: str) -> int | None:
    layout = LAYOUTS.get(architecture)
    if layout:
        return config.integer(layout.config.get("hidden_size", "hidden_size"), 768, least=1)
    key = next((key for key in ("hidden_size", "dim", "d_model", "n_embd") if key in config), "")
    return config.integer(key, 0, least=1) if key else None


def _steps(modules: Modules, said: Fields) -> Sequence[HeadStep]:
    if "truncate_dim" not in said:
        return modules.steps
    return (*modules.steps, FirstDimensions(said.integer("truncate_dim", 0, least=1)))


def _check_fits(head: Head, width: int | None) -> None:
    if width is not None and not fits(head.steps, width * len(head.poolings)):
        raise damaged(f"{head.model}: the layers behind its pooling do not fit an encoder of width {width}.")


def token_limit(config: Fields, settings: Fields) -> int:
    """The token limit that the transformer's `settings` state, else its tokenizer; no more than there are positions.

    Raises ModelUnsupported where none is left.
    """
    layout = LAYOUTS.get(config.text("model_type", "unknown"))
    positions = config.integer("max_position_embeddings", 512 if layout else NO_LIMIT, least=1)
    if layout and layout.positions_behind_padding:
        padding = layout.padding if layout.padding is not None else config.integer("pad_token_id", 1)
        positions -= padding + 1
    tokenizer = read_fields(config.path.parent / "tokenizer_config.json")
    key = "model_max_length" if "model_max_length" in tokenizer.values else "max_len"
    stated = tokenizer.integer(key, NO_LIMIT, least=1)
    limit = min(settings.integer("max_seq_length", stated, least=1), positions)
    if limit < 1:
        raise damaged(f"{config.path}: no position is left for a token.")
    return limit
