"""What a reranker's module says. This is the only place that looks into the modules of `embassay.reranking.rerankers`.

A module has ``Settings``, and one of these, none of which loads or sends anything:

    def open_reranker(settings) -> Reranker           a model of this process
    def open_api(settings) -> RerankApi               a service over HTTP: see `http/api.py`
    def open_paid(settings, budget) -> Reranker       one that pays for its requests by itself
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay import plugins

if TYPE_CHECKING:
    from embassay.catalog.card import RerankerCard
    from embassay.embedders.settings import Settings
    from embassay.embedders.wrap.budget import Budget
    from embassay.reranking.base import Reranker

RERANKERS = "embassay.reranking.rerankers"


def reranker_names() -> tuple[str, ...]:
    """Every kind of reranker there is, sorted, without importing one."""
    return plugins.names(RERANKERS)


def settings_of(kind: str) -> type[Settings]:
    """The class of what can be set for rerankers of a kind. Raises PluginError for an unknown one."""
    chosen: type[Settings] = plugins.load(RERANKERS, kind).Settings
    return chosen


def open_reranker(settings: Settings, card: RerankerCard | None = None, budget: Budget | None = None) -> Reranker:
    """The reranker that `settings` choose and `card` describes; `budget` pays for its requests.

    Nothing is loaded or sent. Raises ModelError, ConfigError or PluginError.
    """
    settings.check_agreed()
    module = plugins.load(RERANKERS, settings.provider)
    if hasattr(module, "open_api"):
        from embassay.reranking.http.driver import HttpReranker

        return HttpReranker(module.open_api(settings), card, budget)
    opened: Reranker = (
        module.open_paid(settings, budget) if hasattr(module, "open_paid") else module.open_reranker(settings)
    )
    return opened
