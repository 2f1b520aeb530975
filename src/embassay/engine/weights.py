"""Tensors of a repository, from safetensors only: pickled weights can run code, so they are never opened."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay.errors import ModelUnsupported

if TYPE_CHECKING:
    from embassay.types import Vectors

SINGLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
_PREFIX = re.compile(r"^(bert|roberta|mpnet|distilbert|model|auto_model)\.")
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of `folder`, in a fixed order; empty when it has none."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / SHARDED).is_file():
        names = json.loads((folder / SHARDED).read_text("utf-8"))["weight_map"].values()
        return [folder / name for name in sorted(set(names))]
    return []


def weights_digest(files: Sequence[Path]) -> str:
    """SHA-256 of the one file in hex; of the files' digests when there are several."""
    digests = []
    for path in files:
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def read_weights(files: Sequence[Path]) -> Mapping[str, Vectors]:
    """All floating-point tensors as float32, by name without the model's prefix."""
    from safetensors import SafetensorError

    tensors: dict[str, Vectors] = {}
    for path in files:
        try:
            for name, tensor in _open(path):
                tensors[_plain(name)] = tensor
        except (OSError, SafetensorError, ValueError) as error:
            raise ModelUnsupported(
                f"{path} cannot be read as safetensors: {error}.", remedy="Download the model again."
            ) from error
    return tensors


def _open(path: Path) -> list[tuple[str, Vectors]]:
    from safetensors import safe_open

    found = []
    with safe_open(path, "np") as stream:
        for name in stream.keys():  # noqa: SIM118 - not a dict
            kind = stream.get_slice(name).get_dtype()
            if kind == "BF16":  # numpy has no bfloat16, so safetensors cannot hand it over
                return _read_by_hand(path)
            if kind.startswith("F"):
                found.append((name, stream.get_tensor(name).astype(np.float32, copy=False)))
    return found


def _read_by_hand(path: Path) -> list[tuple[str, Vectors]]:
    """The same for files with bfloat16: its 16 bits are the upper half of a float32."""
    raw = np.memmap(path, np.uint8, "r")
    start = 8 + int(raw[:8].view(np.uint64)[0])
    header = json.loads(raw[8:start].tobytes())
    found = []
    for name, entry in header.items():
        if name == "__metadata__" or not entry["dtype"].startswith(("F", "BF")):
            continue
        begin, end = entry["data_offsets"]
        data = raw[start + begin : start + end]
        if entry["dtype"] == "BF16":
            values = (data.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = data.view({"F16": np.float16, "F32": np.float32, "F64": np.float64}[entry["dtype"]])
        found.append((name, values.astype(np.float32).reshape(entry["shape"])))
    return found


def _plain(name: str) -> str:
    name = _PREFIX.sub("", name)
    for old, new in _OLD_NAMES.items():
        name = name.replace(old, new)
    return name
