"""Options of the calls of a client, by name, as the server knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from embassay.search.pipeline import Pipeline
    from embassay.stores.filters.values import Filter


class SearchWishes(TypedDict, total=False):
    """How a set is searched."""

    mode: str
    pipeline: str | Pipeline | None
    where: str | Filter | None
    coarse_dim: int | None
    coarse_k: int
    rerank: str | None
    group_by: str | None
    context: int
    explain: bool


class SetChanges(TypedDict, total=False):
    """What may be changed of a set."""

    name: str
    slug: str
    auto_embed_rules: Mapping[str, bool]
    fusion: str
    is_default: bool


class SetWishes(TypedDict, total=False):
    """What a set is made with."""

    name: str
    set_type: str
    embedding_config_id: str | None
    truncate_dim: int | None
    dtype: str | None
    chunk_tokens: int | None
    language: str | None
    auto_embed_rules: Mapping[str, bool]
    of: str
    filter: str


class JobWishes(TypedDict, total=False):
    """Where a set is moved, and how."""

    embedding_config_id: str
    truncate_dim: int
    pca: int
    dtype: str
    rate: float
    max_spend: float
    strict: bool


class CompareWishes(TypedDict, total=False):
    """On what is compared."""

    judged: str
    pairs: Sequence[Mapping[str, object]]
    mode: str
    min_effect: float


class Wanted(TypedDict, total=False):
    """What is asked of a model."""

    language: str
    domain: str
    privacy: bool
    api: bool
    hosted: bool
    commercial: bool
    gpu: bool
    max_mb: float
    max_latency_ms: float
    max_storage_gb: float
    max_usd: float
    min_tokens: int
    rerank: str
    n: int
