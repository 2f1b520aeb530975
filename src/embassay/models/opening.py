"""One model opened: its provider's embedder behind what a plan puts around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from embassay.models.provider import load_provider
from embassay.models.wrapping import Wrapping, wrap

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.embedders.settings import Settings


def open_model(name: str, settings: Settings, card: ModelCard | None, plan: Wrapping) -> Embedder:
    """The model that `settings` choose and `card` describes; `name` is what errors call it.

    Where fewer dimensions are wanted the provider is asked for them, if it can be; else its vectors are cut here.
    Raises DimensionsRefused, ModelError, ConfigError, PluginError.
    """
    provider, wanted = load_provider(settings.provider), settings.dimensions
    if wanted is None:
        return wrap(provider.open(settings, card, plan.keeper, plan.memory, plan.anchor, plan.budget), plan)
    if provider.needs_card:
        from embassay.embedders.wrap.cut import check_dimensions

        check_dimensions(name, wanted, card)
    if not provider.sizes(settings, card):
        settings = msgspec.structs.replace(settings, dimensions=None)
        layer_norm = bool(card and card.matryoshka_layer_norm)
        plan = replace(plan, dimensions=wanted, layer_norm=layer_norm)
    return wrap(provider.open(settings, card, plan.keeper, plan.memory, plan.anchor, plan.budget), plan)
