"""What can be set for a reranker. Each adds its own by a subclass; unknown keys are errors."""

from __future__ import annotations

import msgspec

from embassay.config.values import not_negative
from embassay.embedders.settings import HttpSettings, Settings

OF_VECTORS = ("dimensions", "query_prompt", "document_prompt", "similarity", "canaries")
OF_ROLES = ("query_body", "document_body")
"""Settings of embedding models that say nothing to a reranker."""


class RerankSettings(Settings, frozen=True, kw_only=True):
    """Common to all rerankers: those of embedding models that do not speak of vectors or roles."""

    def __post_init__(self) -> None:
        """Raises ValueError for a setting that would be ignored, or a number that cannot be."""
        Settings.__post_init__(self)
        _check_means_something(self)


class HttpRerankSettings(HttpSettings, frozen=True, kw_only=True):
    """Common to rerankers over HTTP."""

    usd_per_thousand_searches: float | None = None
    """Price, where a search is billed and no card knows it; else it is ``usd_per_million_tokens`` that says it."""

    def __post_init__(self) -> None:
        """Raises ValueError for a setting that would be ignored, or a number that cannot be."""
        HttpSettings.__post_init__(self)
        not_negative(self, "usd_per_thousand_searches")
        _check_means_something(self)


def _check_means_something(settings: Settings) -> None:
    for field in msgspec.structs.fields(settings):
        if field.name in (*OF_VECTORS, *OF_ROLES):
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            if getattr(settings, field.name) != default:
                raise ValueError(f"{field.name} is a setting of embedding models, and says nothing to a reranker")
