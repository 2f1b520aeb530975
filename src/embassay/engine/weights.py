"""Tensors of a repository, from safetensors only: pickled weights can run code, so they are never opened.

Tensors are views of the mapped files; only those stored in another type than float32 are copied when they are used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay import jsontext
from embassay.engine.fields import Json, inside, read_fields
from embassay.engine.identity import array_digest, digest_of
from embassay.engine.unsupported import damaged

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.engine.encoder import Encoder
    from embassay.types import Vectors

SINGLE, SHARDED = "model.safetensors", "model.safetensors.index.json"
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
_TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "BF16": np.uint16}
HASHED_AT_ONCE = 2
"""Threads that hash: beyond that a start has better use for its cores."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as it is stored."""

    stored: npt.NDArray[np.generic]
    """A view of the file; bfloat16 as uint16."""
    kind: str
    """``F32``, ``F16``, ``F64`` or ``BF16``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return tuple(self.stored.shape)

    def values(self) -> Vectors:
        """The numbers as float32; a bfloat16 is the upper half of one."""
        if self.kind == "BF16":
            return (self.stored.astype(np.uint32) << 16).view(np.float32)
        return self.stored.astype(np.float32, copy=False)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of `folder`, in a fixed order; empty when it has none. Raises ModelUnsupported."""
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / SHARDED).is_file():
        index = read_fields(folder / SHARDED)
        names = index.texts("weight_map").values()
        return [inside(folder, name, index.path) for name in sorted(set(names))]
    return []


def files_digest(files: Sequence[Path]) -> str:
    """SHA-256 of the one file in hex; of the files' digests when there are several."""
    digests = []
    for path in files:
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def encoder_tensors(files: Sequence[Path], encoder: Encoder, model: str) -> dict[str, Tensor]:
    """The tensors that `encoder` is built from, by the names of its layout; what else the files hold is left alone.

    Raises ModelUnsupported where one is missing, there twice, or not of the shape that the configuration says.
    """
    stored = _stored(files)
    layers = min(encoder.layers, len(stored) + 1)  # a configuration may say any number
    expected = dict(encoder.layout.tensors(layers, encoder.width, encoder.heads))
    return _chosen(stored, expected, encoder, model)


def classifier_tensors(files: Sequence[Path], encoder: Encoder, model: str) -> dict[str, Tensor]:
    """The tensors of the classifier behind `encoder`. Raises ModelUnsupported as `encoder_tensors` does."""
    return _chosen(_stored(files), dict(encoder.layout.classifier_tensors(encoder.width)), encoder, model)


def _stored(files: Sequence[Path]) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for path in files for name, tensor in read_tensors(path).items()]


def _chosen(
    stored: Sequence[tuple[str, Tensor]],
    expected: Mapping[str, tuple[int | None, ...]],
    encoder: Encoder,
    model: str,
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, tensor in stored:
        plain = _plain(name, encoder.layout.prefix)
        if plain not in expected:
            continue
        if plain in found:
            raise damaged(f"{model}: its weights hold {plain!r} twice.")
        found[plain] = tensor
    for name, shape in expected.items():
        if name not in found:
            raise damaged(
                f"{model}: {name!r} is missing, so its weights do not fit {encoder.architecture!r} "
                f"with {encoder.layers} layers."
            )
        if not _fits(found[name].shape, shape):
            raise damaged(
                f"{model}: {name!r} has the shape {list(found[name].shape)}, its configuration asks for "
                f"{['any' if size is None else size for size in shape]}."
            )
    return found


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256, in hex, of the names, types, shapes and bytes of `tensors`, however they are spread over files."""
    names = sorted(tensors)
    with ThreadPoolExecutor(HASHED_AT_ONCE, "hash") as pool:  # hashing leaves the interpreter free
        digests = list(pool.map(lambda name: array_digest(tensors[name].stored, tensors[name].kind), names))
    return digest_of(dict(zip(names, digests, strict=True)))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All floating-point tensors of a file, as views of it. Raises ModelUnsupported."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(
            path, "np"
        ) as checked:  # it looks at every offset; the views are ours, so that nothing is copied
            names = list(checked.keys())
        raw = np.memmap(path, np.uint8, "r")
        start = 8 + int(raw[:8].view(np.uint64)[0])
        header = jsontext.loads(raw[8:start].tobytes())
        return {name: _view(raw[start:], header[name]) for name in names if header[name]["dtype"] in _TYPES}
    except (OSError, SafetensorError, ValueError, KeyError, RecursionError) as error:
        raise damaged(f"{path} cannot be read as safetensors: {error}.") from error


def _view(data: npt.NDArray[np.generic], entry: Mapping[str, Json]) -> Tensor:
    begin, end = entry["data_offsets"]
    return Tensor(data[begin:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"]), entry["dtype"])


def _fits(shape: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        want is None or have == want for have, want in zip(shape, expected, strict=True)
    )


def _plain(name: str, prefix: str) -> str:
    name = name.removeprefix(prefix + ".")
    for old, new in _OLD_NAMES.items():
        name = name.replace(old, new)
    return name
