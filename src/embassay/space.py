"""The identity of a vector space. Two vectors may be compared only if their spaces are equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from embassay import jsontext, remedy
from embassay.errors import SpaceMismatch

NO_TRANSFORM = "none"
OLD_MODEL_OR_NEW_SET = remedy.option("set", "NAME", say="Put the old model back, or write into a new set: {}")
"""What helps where a model is not the one that a set was made with."""
Similarity = Literal["cosine", "dot"]
SIMILARITIES: Sequence[Similarity] = get_args(Similarity)


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that decides where a text lands, and nothing else.

    Numeric precision is not part of it: f32, bf16 and int8 runs of one model share a space. A field that is not known
    of a model has its default, so that a field which is added later does not change the digests of such spaces.
    """

    model: str
    """The model's id, e.g. ``sentence-transformers/all-MiniLM-L6-v2``."""
    weights: str
    """SHA-256 of the encoder's weights as they were read, in hex, or the provider's revision."""
    dimensions: int
    pooling: str = "mean"
    normalised: bool = True
    query_prompt: str = ""
    document_prompt: str = ""
    transform: str = NO_TRANSFORM
    """``none``, or the name of what was done to the vectors afterwards, with its digest."""
    encoder: str = ""
    """SHA-256 of the settings that the encoder was built with, in hex; empty where only the provider knows them."""
    tokenizer: str = ""
    """SHA-256 of how texts become token ids, in hex; empty where only the provider knows it."""
    layers: str = ""
    """SHA-256 of what stands behind the pooling, in hex; empty for nothing but normalisation."""
    max_tokens: int = 0
    """Tokens of a text that the model reads, special tokens and prompt included; 0: not known."""
    truncation: str = "right"
    """The side from which a longer text is cut."""
    similarity: Similarity = "cosine"
    """How two vectors are compared: what the model was trained for."""

    @property
    def digest(self) -> str:
        """12 hex digits, equal exactly when the spaces are equal, stable across versions and machines."""
        return _digest(self)

    @property
    def of_short_texts(self) -> Space:
        """The space as texts within the token limit see it: the same whatever the limit is."""
        return replace(self, max_tokens=0)

    def to_dict(self) -> dict[str, object]:
        """All fields, as they are stored with a generation."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """The space that `to_dict` wrote, in this version or an earlier one. Raises KeyError for a missing field."""
        return cls(
            **{f.name: data.get(f.name, _LATER[f.name]) if f.name in _LATER else data[f.name] for f in fields(cls)}
        )

    def __str__(self) -> str:
        tail = "" if self.transform == NO_TRANSFORM else f"+{self.transform}"
        return f"{self.model.rsplit('/', 1)[-1]}@{self.digest[:6]}:{self.dimensions}{tail}"


def compared_by(declared: str, *, normalised: bool) -> Similarity:
    """How vectors of a model are compared that declares `declared`, which may be nothing.

    Between vectors of length 1 the dot product is the cosine: such spaces say ``cosine``, whatever is declared.
    """
    return "dot" if declared == "dot" and not normalised else "cosine"


_LATER: Mapping[str, Any] = {
    f.name: f.default
    for f in fields(Space)
    if f.name in {"encoder", "tokenizer", "layers", "max_tokens", "truncation", "similarity"}
}
"""Fields that spaces of earlier versions do not have, with what stands for them."""


@lru_cache(maxsize=256)
def _digest(space: Space) -> str:
    stated = {name: value for name, value in space.to_dict().items() if name not in _LATER or value != _LATER[name]}
    canonical = jsontext.dumps(stated, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def describe_difference(a: Space, b: Space) -> str:
    """How two spaces differ, in words; the empty string when they are equal.

    >>> describe_difference(Space("m", "aa", 384), Space("m", "aa", 256))
    'dimensions are 384 in m@e5bb5a:384 and 256 in m@241523:256'
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
            remedy=OLD_MODEL_OR_NEW_SET,
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
    "encoder": "the settings of the encoder are",
    "tokenizer": "the tokenizer is",
    "layers": "the layers behind the pooling are",
    "max_tokens": "the token limit is",
    "truncation": "long texts are cut on the",
    "similarity": "vectors are compared by",
}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return value[:12] if len(value) == 64 else repr(value) if not value or " " in value else value
    return str(value)
