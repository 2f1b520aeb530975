"""What a server gives back, as values. Fields that a later server adds are passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from embassay.types import Hit, Metadata, Value

if TYPE_CHECKING:
    from embassay.types import Vectors


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Vectors of texts."""

    vectors: Vectors
    """float32, shape (texts, dimensions)."""
    model: str
    tokens: int
    """Of all texts together."""

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class RankedTexts:
    """Scores of texts for a query, in the order of the texts."""

    scores: Sequence[float]
    order: Sequence[int]
    """Positions of the texts, best first."""


class Rules(msgspec.Struct, frozen=True):
    """When documents are embedded by themselves."""

    on_create: bool = True
    on_update: bool = True


class SetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An embedding set."""

    name: str
    """For people."""
    slug: str
    set_type: str
    of: str | None
    filter: str | None
    embedding_config_id: str
    truncate_dim: int | None
    dimensions: int
    space: str
    space_digest: str
    auto_embed_rules: Rules
    language: str
    documents: int
    chunks: int
    waiting: int
    """Chunks that are found by words only."""
    is_default: bool
    created: str


class ConfigInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that sets may be made with."""

    id: str
    model: str
    provider: str
    is_default: bool
    dimensions: int | None
    max_tokens: int | None
    supports_mrl: bool
    matryoshka_dims: Sequence[int]
    default_truncate_dim: int | None
    prompts: Mapping[str, str]
    licence: str


class LeftAside(msgspec.Struct, frozen=True):
    """A document that is not found, with the reason."""

    id: str
    reason: str


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What came of documents that were sent."""

    set: str
    added: int
    updated: int
    unchanged: int
    embedded: int
    waiting: int
    chunks: int
    skipped: Sequence[LeftAside] = ()
    quarantined: Sequence[LeftAside] = ()
    seconds: float = 0.0


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document in a list."""

    id: str
    path: str
    title: str
    chunks: int
    tokens: int
    state: str
    waits: bool
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SearchFound:
    """Hits of one query, best first, as those of the library."""

    query: str
    set: str
    space: str
    mode: str
    hits: Sequence[Hit]
    notices: Sequence[str]
    took_ms: float
    answered: bool | None
    id: str = ""
    """By which feedback refers to it, where searches are logged."""
    pipeline: str = ""
    """And the trace, where an explanation was asked for."""
    trace: Sequence[Value] = ()


class JobInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A set that is moved to another model."""

    id: str
    set: str
    state: str
    reason: str
    actions: Sequence[str]
    embedding_config_id: str
    at_work: bool
    share: float
    chunks: int
    total: int
    eta_seconds: float | None = None
    report: Mapping[str, Value] = {}


class FeedbackKept(msgspec.Struct, frozen=True, kw_only=True):
    """What the log has of a search."""

    search: str
    sets: Sequence[str]
    feedback: Sequence[Mapping[str, Value]]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, with what it rests on."""

    verdict: str
    winner: str | None
    headline: str
    reason: str
    queries: int
    candidates: Sequence[Mapping[str, Value]]


class Recommended(msgspec.Struct, frozen=True, kw_only=True):
    """Models to try first."""

    recommended: Sequence[Mapping[str, Value]]
    excluded: Sequence[Mapping[str, Value]]
