"""What clients may know of a served model: its limits, its sizes, and a digest by which they tell one from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Of one model. What is 0 or empty is not known."""

    digest: str
    """64 hex digits; of equal ones the vectors are equal."""
    dimensions: int = 0
    max_tokens: int = 0
    precision: str = ""
    pooling: str = ""
    architecture: str = ""
    parameters: int = 0
    bytes: int = 0
    """Of the weights as they are stored."""
    licence: str = ""


def facts_of(models: Registry, served: str) -> ModelFacts:
    """What is known of a model. Nothing is downloaded or sent; the weights of a model of this machine are hashed.

    Raises ModelNotFound for one that is not on this machine yet, ModelError, ConfigError.
    """
    card, settings = models.card(served), models.settings(served)
    if models.provider(served).remote:
        said = f"{settings.provider} {settings.model_id} {getattr(settings, 'revision', '')} {settings.dimensions}"
        digest, space = said, None
    else:
        _check_here(settings)
        space = models.get(served).space
        digest = space.digest
    embedder = None if space is None else models.get(served)
    return ModelFacts(
        digest=hashlib.sha256(digest.encode()).hexdigest(),
        dimensions=space.dimensions if space else (settings.dimensions or (card and card.dimensions) or 0),
        max_tokens=_limit(embedder) or settings.max_tokens or (card and card.max_tokens) or 0,
        precision=embedder.precision if embedder else "",
        pooling=space.pooling if space else (card.pooling if card else ""),
        architecture=card.architecture if card else "",
        parameters=(card and card.parameters) or 0,
        bytes=((card and card.size_mb) or 0) * 1_000_000,
        licence=card.licence if card else "",
    )


def _limit(embedder: Embedder | None) -> int:
    return embedder.tokens.max_tokens if embedder else 0


def _check_here(settings: object) -> None:
    """Raises ModelNotFound for a model that would be downloaded first."""
    if hasattr(settings, "offline"):
        from embassay.engine.locate import locate

        locate(getattr(settings, "model_id"), offline=True)  # noqa: B009


def facts_or_none(models: Registry, served: str) -> ModelFacts | None:
    """The same for a list of models; None for one that cannot be listed."""
    try:
        return facts_of(models, served)
    except EmbassayError:
        return None
