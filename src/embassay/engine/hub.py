"""Downloads a model from a Hugging Face hub (HF_ENDPOINT) and checks what arrived."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.engine.foreign import GRAPH_FILES
from embassay.engine.layouts import LAYOUTS
from embassay.engine.unsupported import needs_torch
from embassay.engine.weights import SHARDED, SINGLE, files_digest
from embassay.errors import DigestMismatch, DownloadFailed, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.engine.spec import ReadSpec
    from embassay.remedy import Remedy

SMALL_FILES = ("*.json", "*vocab.txt", "*merges.txt", "*/model.safetensors")
"""Configurations, vocabularies and dense layers: small files, read before the weights are asked for."""


def download(model: str, cache: Path, read: ReadSpec, *, otherwise: Remedy | str = "") -> Path:
    """Fetch what the engine needs of `model` into `cache`, nothing else; resumes what a cut connection left.

    `read` reads the small files, by which weights or a graph are fetched. `otherwise` is the remedy where the hub does
    not have it, or does not answer. Raises ModelNotFound, DownloadFailed, or DigestMismatch (the bad file is then
    removed).
    """
    folder = _fetch(model, cache, SMALL_FILES, otherwise)
    supported = read(model, folder).architecture in LAYOUTS
    wanted = (SINGLE, SHARDED, "*model-*.safetensors") if supported else (*GRAPH_FILES, "openvino/*.bin", "onnx/*_data")
    folder = _fetch(model, cache, wanted, otherwise)
    weights = [path for path in folder.rglob("*") if path.suffix in {".safetensors", ".onnx", ".bin", ".xml"}]
    if not weights:
        raise needs_torch(f"{model} offers none of {', '.join(wanted)}.")
    for path in weights:
        _verify(path)
    return folder


def _fetch(model: str, cache: Path, patterns: Sequence[str], otherwise: Remedy | str) -> Path:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    endpoint = os.environ.get("HF_ENDPOINT") or None
    try:
        folder = snapshot_download(
            model, allow_patterns=list(patterns), endpoint=endpoint, max_workers=2, cache_dir=cache
        )
    except GatedRepoError as error:
        raise ModelNotFound(
            f"{model} asks you to accept its terms first.", remedy="Do so on its page, then set HF_TOKEN."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelNotFound(f"the hub knows no model {model!r}.", remedy=otherwise) from error
    except Exception as error:  # whatever the HTTP stack raises
        reason = " ".join(str(error).split()).split(" An error happened")[0][:200] or type(error).__name__
        raise DownloadFailed(f"{model} could not be downloaded: {reason}.", remedy=otherwise) from error
    return Path(folder)


def _verify(path: Path) -> None:
    """A large file's name in the cache is the SHA-256 that the hub promised."""
    stored = path.resolve()
    if re.fullmatch(r"[0-9a-f]{64}", stored.name) and (found := files_digest([path])) != stored.name:
        path.unlink()
        stored.unlink(missing_ok=True)
        raise DigestMismatch(
            f"{path.name} arrived with SHA-256 {found[:12]}, the hub promised {stored.name[:12]}; it was removed.",
            remedy="Try again; if it recurs, do not trust that hub.",
        )
