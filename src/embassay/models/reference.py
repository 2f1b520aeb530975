"""How a model is written: ``NAME``, ``provider/model`` or a Hugging Face id, then ``@int8`` or ``@dims=256``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.config.values import DEFAULT_PROVIDER
from embassay.errors import ModelNotFound, UsageError
from embassay.files import expanded
from embassay.models.provider import load_provider, provider_names
from embassay.types import PRECISIONS, check_precision

if TYPE_CHECKING:
    from embassay.catalog.catalog import Catalog

MOST_DIMENSIONS = 1_000_000
_DIGITS = "[0-9]{1,9}"
_OPTION = re.compile(rf"^(?P<precision>{'|'.join(PRECISIONS)})$|^dims=(?P<dimensions>{_DIGITS})$")


@dataclass(frozen=True, slots=True)
class Reference:
    """A model as it was written, taken apart."""

    base: str
    options: dict[str, object] = field(default_factory=dict)


def is_option(part: str) -> bool:
    """Whether ``@part`` chooses a precision or dimensions."""
    return bool(_OPTION.match(part))


def parse_reference(text: str) -> Reference:
    """``minilm@int8@dims=256`` as its name and its options. An ``@`` that starts no option belongs to the name."""
    parts = text.split("@")
    options: dict[str, object] = {}
    while len(parts) > 1 and (match := _OPTION.match(parts[-1])):
        if match["precision"]:
            options["precision"] = match["precision"]
        else:
            options["dimensions"] = int(match["dimensions"])
        parts.pop()
    return Reference("@".join(parts), options)


def without_precision(model: str) -> tuple[str, str | None]:
    """(the reference without a precision, the precision that it names); None where it names none."""
    reference = parse_reference(model)
    precision = reference.options.get("precision")
    dimensions = reference.options.get("dimensions")
    cut = "" if dimensions is None else f"@dims={dimensions}"
    return reference.base + cut, None if precision is None else str(precision)


def asked_precision(model: str, precision: str | None) -> tuple[str, str | None]:
    """The reference without a precision, and the one that is asked for: by itself, or in the name, ``minilm@int8``.

    Raises UsageError where both are given and differ, or where it is none.
    """
    check_precision(precision)
    name, said = without_precision(model)
    if said and precision not in (None, said):
        raise UsageError(
            f"model {model!r} says precision {said}, and {precision} is asked for as well.",
            remedy=f"Leave one of them out: {name} has no precision of its own.",
        )
    return name, said or precision


def with_precision(model: str, precision: str | None) -> str:
    """The reference of `model` at a precision; ``auto`` leaves it as it is configured. Raises UsageError."""
    check_precision(precision)
    return model if precision in (None, "auto") else f"{model}@{precision}"


def check_dimensions(asked: str, dimensions: int | None) -> None:
    """Raises UsageError for a number of dimensions that no vector has; `asked` is the name of the argument."""
    if dimensions is not None and not 1 <= dimensions <= MOST_DIMENSIONS:
        raise UsageError(f"{asked} is {dimensions}; it must be between 1 and {MOST_DIMENSIONS:,}.")


def cut_to(model: str, dimensions: int | None) -> str:
    """The reference of `model` cut to so many dimensions; None leaves it as it is.

    Raises UsageError where it names other dimensions already.
    """
    if dimensions is None:
        return model
    reference = parse_reference(model)
    if reference.options.get("dimensions", dimensions) != dimensions:
        raise UsageError(
            f"model {model!r} says dimensions of its own, and {dimensions} are asked for as well.",
            remedy="Leave one of them out.",
        )
    return model if "dimensions" in reference.options else f"{model}@dims={dimensions}"


def uncut(model: str) -> str:
    """The reference without the dimensions that it names."""
    reference = parse_reference(model)
    precision = reference.options.get("precision")
    return reference.base if precision is None else f"{reference.base}@{precision}"


def provider_of(model: str, catalog: Catalog) -> tuple[str, str]:
    """(provider, what it calls the model).

    A card's id, a folder and a bare Hugging Face id speak for themselves; ``provider/...`` names a provider, unless
    that provider says that it has no model of such a name. Raises ModelNotFound for a plain word that is no folder.
    """
    card = catalog.get(model)
    if card:
        return card.provider, card.provider_ids[card.provider]
    if _is_folder(model):
        return DEFAULT_PROVIDER, os.path.abspath(expanded(model))
    if names_provider(model):
        first, _, rest = model.partition("/")
        return first, rest
    if "/" in model.rstrip("/"):
        return DEFAULT_PROVIDER, model
    raise ModelNotFound(
        f"no model is called {model!r}.",
        remedy=remedy.command("models list", say="Write provider/model or a Hugging Face id; {} shows some."),
    )


def names_provider(model: str) -> bool:
    """Whether `model` is written ``provider/model``, or is the bare name of a provider that is a model too."""
    first, _, rest = model.partition("/")
    return first in provider_names() and load_provider(first).takes(rest)


def _is_folder(model: str) -> bool:
    try:
        return model.startswith((".", "/", "~")) or Path(model).is_dir()
    except (OSError, ValueError):  # no name of a file
        return False
