"""What a folder costs with a model, before anything is embedded or sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.catalog.cost import Cost, EmbeddingSpeed, Workload, estimate_cost
from embassay.embedders.texts.estimate import ERROR, EstimatedTokens
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.survey import Survey, survey

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.types import Role

SAMPLE_SECONDS = 3.0
"""How long a local model's speed is measured, at most about."""


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
            speed=_speed(embedder, seen),
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


def _speed(embedder: Embedder, seen: Survey) -> EmbeddingSpeed:
    """How fast the chunks are embedded: as a sample of them shows, or as the limits of a provider allow."""
    limits = embedder.limits
    if limits is not None:
        how = f"assumes {limits.at_once} full batches at once of half a second each"
        return EmbeddingSpeed(None, limits.inputs, limits.tokens, limits.at_once, limits.tokens_per_minute, how)
    if not seen.sample:
        return EmbeddingSpeed(1.0, how="not measured: there is no text")
    embedder.embed(seen.sample[:2], "document")
    tokens, texts, started = 0, 0, time.perf_counter()
    for at in range(0, len(seen.sample), 32):
        batch = seen.sample[at : at + 32]
        tokens += sum(embedder.embed(batch, "document").tokens)
        texts += len(batch)
        if time.perf_counter() - started > SAMPLE_SECONDS:
            break
    return EmbeddingSpeed(
        tokens / (time.perf_counter() - started), how=f"measured on {texts} of its chunks on this machine"
    )
