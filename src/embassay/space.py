"""The identity of a vector space. Two vectors may be compared only if their spaces are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from embassay import remedy
from embassay.errors import SpaceMismatch

NO_TRANSFORM = "none"


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that decides where a text lands, and nothing else.

    Numeric precision is not part of it: f32, bf16 and int8 runs of one model share a space.
    """

    model: str
    """The model's id, e.g. ``sentence-transformers/all-MiniLM-L6-v2``."""
    weights: str
    """SHA-256 of the weights in hex, or the provider's revision."""
    dimensions: int
    pooling: str = "mean"
    normalised: bool = True
    query_prompt: str = ""
    document_prompt: str = ""
    transform: str = NO_TRANSFORM
    """``none``, or the name of what was done to the vectors afterwards, with its digest."""

    @property
    def digest(self) -> str:
        """12 hex digits, equal exactly when the spaces are equal, stable across versions and machines."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, object]:
        """All fields, as they are stored with a generation and as the digest reads them."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """The space that `to_dict` wrote. Raises KeyError for a field that is missing."""
        return cls(**{f.name: data[f.name] for f in fields(cls)})

    def __str__(self) -> str:
        tail = "" if self.transform == NO_TRANSFORM else f"+{self.transform}"
        return f"{self.model.rsplit('/', 1)[-1]}@{self.weights[:6]}:{self.dimensions}{tail}"


def describe_difference(a: Space, b: Space) -> str:
    """How two spaces differ, in words; the empty string when they are equal.

    >>> describe_difference(Space("m", "aa", 384), Space("m", "aa", 256))
    'dimensions are 384 in m@aa:384 and 256 in m@aa:256'
    """
    differing = [f.name for f in fields(Space) if getattr(a, f.name) != getattr(b, f.name)]
    if not differing:
        return ""
    left, right = (str(a), str(b)) if str(a) != str(b) else ("the first", "the second")
    return "; ".join(
        f"{_WORDS[name]} {_shown(getattr(a, name))} in {left} and {_shown(getattr(b, name))} in {right}"
        for name in differing
    )


def check_space(made: Space, stored: Space, set_name: str) -> None:
    """Raises SpaceMismatch where new vectors of space `made` would meet those of space `stored` in a set."""
    if made != stored:
        raise SpaceMismatch(
            f"set {set_name!r} holds vectors of {stored}, the model on this machine makes {made}: "
            f"{describe_difference(stored, made)}.",
            remedy=remedy.command(
                "index", "FOLDER", set="NAME", say="Put the old weights back, or index into a new set"
            ),
        )


_WORDS = {
    "model": "the model is",
    "weights": "the weights are",
    "dimensions": "dimensions are",
    "pooling": "pooling is",
    "normalised": "normalisation is",
    "query_prompt": "the query prompt is",
    "document_prompt": "the document prompt is",
    "transform": "the transform is",
}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value[:12] if len(value) == 64 else repr(value) if not value or " " in value else value
    return str(value)
