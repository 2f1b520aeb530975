"""Digests of what was read. Every field of a value is in its digest, so that none can be forgotten.

A field at its default is left out, so that one which a later version adds with a default changes no older digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay import jsontext

if TYPE_CHECKING:
    import numpy.typing as npt


def digest_of(value: object) -> str:
    """SHA-256, in hex, of a value made of dataclasses, sequences, mappings, arrays and plain values."""
    return hashlib.sha256(jsontext.dumps(_plain(value), ascii_only=True, sort_keys=True).encode()).hexdigest()


def array_digest(values: npt.NDArray[np.generic], stored_as: str) -> str:
    """SHA-256 of an array: its type as it is stored, its shape and its bytes. The bytes are not copied."""
    digest = hashlib.sha256(f"{stored_as} {list(values.shape)} ".encode())
    digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        stated = {f.name: getattr(value, f.name) for f in fields(value)}
        defaults = {f.name: f.default for f in fields(value) if f.default is not MISSING}
        plain = {name: _plain(one) for name, one in stated.items() if name not in defaults or one is not defaults[name]}
        return [type(value).__name__, plain]
    if isinstance(value, np.ndarray):
        return array_digest(value, str(value.dtype))
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
