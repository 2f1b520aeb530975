"""Options of the verbs of a set, by name: for callers that hand them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from embassay.ingest.limits import ReadLimits
    from embassay.search.pipeline import Pipeline
    from embassay.search.stages.cascade import Cascade
    from embassay.search.stages.rerank import Rerank
    from embassay.sets.migration.check import Verifier
    from embassay.stores.filters.values import Filter
    from embassay.types import Precision


class MakingOptions(TypedDict, total=False):
    """What the first run on a set makes it with; later runs must agree. See `EmbeddingSet.index`."""

    model: str | None
    precision: Precision | None
    chunk_tokens: int | None
    language: str | None


class CreatingOptions(MakingOptions, total=False):
    """What a set is made with that is made on purpose. See `Home.create_set`."""

    truncate_dim: int | None
    dtype: str | None
    tokens: bool


class IndexOptions(MakingOptions, total=False):
    """How files are indexed. See `EmbeddingSet.index`."""

    retry_failed: bool
    checksum: bool
    max_file_mb: float | None
    read_limits: ReadLimits | None
    exclude: Sequence[str]
    include: Sequence[str]
    tokens: bool | None


class WatchOptions(MakingOptions, total=False):
    """How files are watched. See `EmbeddingSet.watch`."""

    poll: float | None
    max_file_mb: float | None
    read_limits: ReadLimits | None
    exclude: Sequence[str]


class SearchOptions(TypedDict, total=False):
    """How a set is searched. See `EmbeddingSet.search`."""

    mode: str
    where: str | Filter | None
    pipeline: str | Pipeline | None
    group_by: str | None
    parent: str | int | None
    min_score: Mapping[str, float] | None
    context: int
    cascade: bool | Cascade
    rerank: str | Rerank | None
    expand: str | Sequence[str]
    query_model: str | None
    beside: Sequence[str]


class MoveOptions(TypedDict, total=False):
    """Where a set is moved, besides the model. See `EmbeddingSet.migrate`."""

    precision: str | None
    truncate_dim: int | None
    pca: int | None
    dtype: str | None


class MigrateOptions(MoveOptions, total=False):
    """How a set is migrated. See `EmbeddingSet.migrate`."""

    gate: Verifier | None
    max_spend: float | None
    rate: float
    strict: bool
    gate_from: str
    background: bool
