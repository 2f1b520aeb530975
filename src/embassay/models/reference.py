"""How a model is written: ``NAME``, ``provider/model`` or a Hugging Face id, then ``@int8`` or ``@dims=256``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay import plugins
from embassay.errors import ModelNotFound

if TYPE_CHECKING:
    from embassay.catalog.catalog import Catalog

PROVIDERS = "embassay.embedders.providers"
LOCAL = "local"
_OPTION = re.compile(r"^(?P<precision>auto|f32|bf16|int8)$|^dims=(?P<dimensions>\d+)$")


@dataclass(frozen=True, slots=True)
class Reference:
    base: str
    options: dict[str, Any] = field(default_factory=dict)


def is_option(part: str) -> bool:
    """Whether ``@part`` chooses a precision or dimensions."""
    return bool(_OPTION.match(part))


def parse_reference(text: str) -> Reference:
    """``minilm@int8@dims=256`` as its name and its options. An ``@`` that starts no option belongs to the name."""
    parts = text.split("@")
    options: dict[str, Any] = {}
    while len(parts) > 1 and (match := _OPTION.match(parts[-1])):
        if match["precision"]:
            options["precision"] = match["precision"]
        else:
            options["dimensions"] = int(match["dimensions"])
        parts.pop()
    return Reference("@".join(parts), options)


def provider_of(model: str, catalog: Catalog) -> tuple[str, str]:
    """(provider, what it calls the model).

    A card's id, a folder and a bare Hugging Face id speak for themselves; ``provider/...`` names a provider.
    ``sentence-transformers/x`` is a Hugging Face id: with that provider write ``sentence-transformers/org/x``.
    Raises ModelNotFound for a plain word that is no folder.
    """
    card = catalog.get(model)
    if card:
        return card.provider, card.provider_ids[card.provider]
    if _is_folder(model):
        return LOCAL, os.path.abspath(os.path.expanduser(model))  # noqa: PTH111 - Path raises for unknown users
    first, _, rest = model.partition("/")
    if first in plugins.names(PROVIDERS) and rest and not (first == "sentence-transformers" and "/" not in rest):
        return first, rest
    if rest:
        return LOCAL, model
    if first in ("hash", LOCAL):
        return first, ""
    raise ModelNotFound(
        f"no model is called {model!r}.",
        remedy="Write provider/model or a Hugging Face id; embassay models list shows some.",
    )


def _is_folder(model: str) -> bool:
    try:
        return model.startswith((".", "/", "~")) or Path(model).is_dir()
    except OSError:  # no name of a file
        return False
