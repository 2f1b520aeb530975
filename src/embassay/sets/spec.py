"""What a set is made with: decided once, resolved to plain values, and stored with each of its generations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from embassay import remedy
from embassay.errors import UsageError
from embassay.ingest.defaults import RULES
from embassay.models.reference import asked_precision, check_dimensions, cut_to, without_precision
from embassay.stores.dtypes import FLOAT32, check_dtype
from embassay.types import Counts, check_precision
from embassay.words.analyser import analyser

LEAST_CHUNK_TOKENS = 16
_LATER = frozenset({"pca", "dtype"})
"""Fields that specs of earlier versions do not have; their defaults say what those sets are."""


@dataclass(frozen=True, slots=True)
class SetSpec:
    """Everything that decides what a set holds, besides its documents.

    No field is left to a default that is looked up later: a new default never changes an old set.
    """

    model: str
    """What the model is opened with: an id, a name of the configuration, or the absolute path of a folder."""
    precision: str
    """Of the local engine: ``f32``, ``bf16``, ``int8``, or ``auto``, which is the best of the machine at hand."""
    chunk_tokens: int
    """Most tokens of a chunk, special tokens and context included."""
    language: str
    """Of the documents: how words are told apart for lexical search, see `embassay.words.languages`."""
    store: str
    """Name of the backend that keeps the vectors."""
    rules: int = RULES
    """Version of the rules by which documents are cut."""
    pca: int = 0
    """Dimensions that the model's vectors are reduced to by a projection of this generation's own; 0: not at all."""
    dtype: str = FLOAT32
    """What the numbers of its vectors are kept as, see `embassay.stores.dtypes`."""

    def to_dict(self) -> dict[str, object]:
        """The spec as it is stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SetSpec:
        """The spec that `to_dict` made, in this version or an earlier one. Raises KeyError for a missing field."""
        return cls(
            **{
                field.name: data.get(field.name, field.default) if field.name in _LATER else data[field.name]
                for field in fields(cls)
            }
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a caller asked a set to be. None: whatever the set has, or the default for a new one.

    A precision that stands in the name of the model, ``minilm@int8``, is the one that is asked for.
    """

    model: str | None = None
    precision: str | None = None
    chunk_tokens: int | None = None
    language: str | None = None
    truncate_dim: int | None = None
    """To so many dimensions its vectors are cut, where the model was trained for that (Matryoshka)."""
    dtype: str | None = None
    """What their numbers are kept as, see `embassay.stores.dtypes`."""

    def __post_init__(self) -> None:
        """Raises UsageError for values that no set can have."""
        check_precision(self.precision)
        self._take_precision_of_model()
        check_dimensions("truncate_dim", self.truncate_dim)
        if self.dtype is not None:
            check_dtype(self.dtype)
        if self.chunk_tokens is not None and self.chunk_tokens < LEAST_CHUNK_TOKENS:
            raise UsageError(f"chunk_tokens is {self.chunk_tokens}; at least {LEAST_CHUNK_TOKENS} make a chunk.")
        if self.language is not None:
            analyser(self.language)

    def _take_precision_of_model(self) -> None:
        if self.model is None:
            return
        model, precision = asked_precision(self.model, self.precision)
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "precision", precision)

    def reference(self, model: str) -> str:
        """`model` with the dimensions that are asked for. Raises UsageError where it names others itself."""
        return cut_to(model, self.truncate_dim)

    def check(self, spec: SetSpec, set_name: str, tokens: Counts) -> None:
        """Raises UsageError where a set is asked to be another one than it is. The model is compared by its space."""
        made_at = without_precision(spec.model)[1] or spec.precision  # sets of earlier versions have it in the name
        if self.precision not in (None, made_at):
            raise UsageError(
                f"set {set_name!r} is indexed at precision {made_at}, not {self.precision}.",
                remedy=remedy.option("set", "NAME", say="Index into another set"),
            )
        if self.language not in (None, spec.language):
            raise UsageError(
                f"set {set_name!r} has its words told apart as those of the language {spec.language}, "
                f"not {self.language}.",
                remedy=remedy.option("set", "NAME", say="Index into another set"),
            )
        if self.dtype not in (None, spec.dtype):
            raise UsageError(
                f"set {set_name!r} keeps its vectors as {spec.dtype}, not as {self.dtype}.",
                remedy=remedy.command("migrate", set_name, dtype=self.dtype or FLOAT32, say="Have them kept so"),
            )
        limit = tokens.safe_tokens
        if self.chunk_tokens is not None and min(self.chunk_tokens, limit) != min(spec.chunk_tokens, limit):
            raise UsageError(
                f"set {set_name!r} was made with chunk_tokens {spec.chunk_tokens}, not {self.chunk_tokens}.",
                remedy=remedy.option("set", "NAME", say="Index into another set"),
            )


def resolve(
    wishes: Wishes, model: str, tokens: Counts, *, chunk_tokens: int, store: str, language: Callable[[], str]
) -> SetSpec:
    """The spec of a new set. `chunk_tokens`, where none was asked for, is bounded by what the model takes.

    `language` finds that of the documents out, and is asked where none was wished for.
    """
    return SetSpec(
        model=model,
        precision=wishes.precision or "auto",
        chunk_tokens=min(wishes.chunk_tokens or chunk_tokens, tokens.safe_tokens),
        language=wishes.language or language(),
        store=store,
        dtype=wishes.dtype or FLOAT32,
    )
