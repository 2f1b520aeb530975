"""What is put around a provider's embedder, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.events import SILENCE, Events

if TYPE_CHECKING:
    from embassay.canaries import Anchor, CanaryMemory
    from embassay.config.values import Glossary
    from embassay.embedders.base import Embedder
    from embassay.embedders.keeper import Keeper
    from embassay.embedders.wrap.batched import Batching
    from embassay.embedders.wrap.budget import Budget


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What is put around one model. What is None, empty or False is left out."""

    budget: Budget | None = None
    keeper: Keeper | None = None
    memory: CanaryMemory | None = None
    """Where the model put the canaries when its vectors were kept."""
    anchor: Anchor | None = None
    """Where it put them when the set was made that it is opened for."""
    dimensions: int | None = None
    """To which its vectors are cut here."""
    layer_norm: bool = False
    """Whether they are layer-normalised before the cut."""
    coalesce: bool = False
    glossary: Glossary | None = None
    events: Events = SILENCE
    batching: Batching | None = None
    """How texts of many callers are embedded together; None where each call is computed by itself."""


def wrap(embedder: Embedder, plan: Wrapping) -> Embedder:
    """`embedder` behind what `plan` asks for."""
    for layer in INNERMOST_FIRST:
        embedder = layer(embedder, plan)
    return embedder


def capped(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Below the cache: what is found there costs nothing."""
    if plan.budget is None or not plan.budget.is_capped or not embedder.remote:
        return embedder
    from embassay.embedders.wrap.capped import Capped

    return Capped(embedder, plan.budget)


def cached(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Below the cut: whole vectors are kept, whatever they are cut to."""
    if plan.keeper is None:
        return embedder
    from embassay.embedders.wrap.cached import Cached

    return Cached(embedder, plan.keeper)


def cut(embedder: Embedder, plan: Wrapping) -> Embedder:
    """To the dimensions that the caller wants, where the provider cannot be asked for them."""
    if plan.dimensions is None:
        return embedder
    from embassay.embedders.wrap.cut import Cut

    return Cut(embedder, plan.dimensions, layer_norm=plan.layer_norm)


def coalesced(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Above the cache: callers who ask for one text at once share one look into it."""
    if not plan.coalesce:
        return embedder
    from embassay.embedders.wrap.coalesced import Coalesced

    return Coalesced(embedder)


def expanded(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Above all that knows texts: they are kept, counted and billed as the model sees them."""
    if plan.glossary is None or not plan.glossary.terms:
        return embedder
    from embassay.embedders.wrap.glossary import Expanded

    return Expanded(embedder, plan.glossary)


def observed(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Above all that makes vectors: what callers ask for is told, with what of it came from the cache."""
    if plan.events is SILENCE:
        return embedder
    from embassay.embedders.wrap.observed import Observed

    return Observed(embedder, plan.events)


def batched(embedder: Embedder, plan: Wrapping) -> Embedder:
    """Around everything: callers share whatever is done for a batch."""
    if plan.batching is None:
        return embedder
    from embassay.embedders.wrap.batched import Batched

    return Batched(embedder, plan.batching, plan.events)


INNERMOST_FIRST: Sequence[Callable[[Embedder, Wrapping], Embedder]] = (
    capped,
    cached,
    cut,
    coalesced,
    expanded,
    observed,
    batched,
)
