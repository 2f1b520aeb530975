"""What a folder costs with a model, before anything is embedded or sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.catalog.cost import Cost, Workload, estimate_cost
from embassay.embedders.speed import speed_of
from embassay.embedders.texts.estimate import ERROR, EstimatedTokens
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.survey import survey

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.types import Role


def price_folder(
    registry: Registry,
    name: str,
    paths: Sequence[Path],
    monthly_change: float,
    chunk_tokens: int | None = None,
    exclude: Exclusions = NOTHING,
) -> Cost:
    """Cut `paths` for a model as an index run would, and say what embedding the chunks costs.

    No document is sent. `monthly_change` is the share of the folder that changes in a month. Raises UsageError,
    ModelError, ProviderError.
    """
    embedder = registry.bare(name)
    try:
        prompt = embedder.prompt("document")
        seen = survey(paths, embedder.tokens, chunk_tokens=chunk_tokens, prompt=prompt, exclude=exclude)
        extra = _prompt_tokens(embedder, "document")
        work = Workload(
            seen.documents, seen.chunks, sum(seen.tokens) + extra * seen.chunks, seen.text_bytes, seen.truncated
        )
        estimated = isinstance(embedder.tokens, EstimatedTokens)
        return estimate_cost(
            name,
            work,
            dimensions=embedder.space.dimensions,
            price=embedder.price,
            speed=speed_of(embedder, seen.sample),
            monthly_change=monthly_change,
            token_error=ERROR if estimated else 0.0,
            query_prompt_tokens=_prompt_tokens(embedder, "query"),
            priced=_priced(registry, name, embedder),
        )
    finally:
        embedder.close()


def _prompt_tokens(embedder: Embedder, role: Role) -> int:
    """Tokens that the prompt of a role adds to a text."""
    prompt = embedder.prompt(role)
    return max(0, embedder.tokens.count([prompt])[0] - embedder.tokens.special) if prompt else 0


def _priced(registry: Registry, name: str, embedder: Embedder) -> tuple[str, str]:
    """When and where the price of a model was looked up; empty where it is not that of its card."""
    card = registry.card(name)
    if not embedder.price or card is None or card.usd_per_million_tokens != embedder.price:
        return "", ""
    return card.price_date, card.price_source
