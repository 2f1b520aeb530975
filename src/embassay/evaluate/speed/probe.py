"""What a model really answers, held against what its card says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from embassay.errors import EmbassayError
from embassay.evaluate.speed.machine import QUERY
from embassay.vectors import cosines

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.types import Embeddings

ANY_LENGTH = 1 << 30
"""A token limit of this or more stands for none."""
SAME_COSINE = 0.9999
"""Vectors of one text in both roles that are more alike than this are the same vector."""
LENGTH_TOLERANCE = 0.01
ALIKE = (
    "One text came out alike as query and as document, which it must not with this model: its prompts are not applied. "
    "Set query_prompt and document_prompt, or query_body and document_body where the service takes the role as a field."
)


class QueryTimes(TypedDict):
    """Milliseconds of single queries."""

    p50: float
    max: float
    n: int
    """How many were timed."""


class ProbeAnswer(TypedDict):
    """What was seen of a model that answers."""

    space: str
    space_digest: str
    dimensions: int
    precision: str
    max_tokens: int | None
    """None where it takes texts of any length."""
    vector_length: float
    role_effect: str
    billed_tokens: int | None
    usd_per_million_tokens: float | None
    first_ms: float
    """Milliseconds to load the model and embed the first query."""
    latency_ms: QueryTimes


@dataclass(frozen=True, slots=True)
class Probe:
    """What a model answered to a handful of short texts."""

    model: str
    ok: bool
    message: str = ""
    """Why it did not answer."""
    measured: ProbeAnswer | None = None
    """None where the model did not answer."""
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The probe as the JSON output has it."""
        health = {"ok": self.ok, "message": self.message}
        return {"model": self.model, "health": health, "warnings": list(self.warnings), **(self.measured or {})}


def probe(registry: Registry, name: str, requests: int) -> Probe:
    """Ask `name` for vectors past every cache, and time `requests` single queries.

    A model that fails has the reason in `Probe.message`; nothing is raised for it.
    """
    try:
        card = registry.card(name)
        embedder = registry.bare(name)
        started = time.perf_counter()
        query = embedder.embed([QUERY], "query")
        first = (time.perf_counter() - started) * 1e3
        document = embedder.embed([QUERY], "document")
        times = []
        for at in range(requests):
            started = time.perf_counter()
            embedder.embed([f"{QUERY} {at}"], "query")
            times.append((time.perf_counter() - started) * 1e3)
    except EmbassayError as error:
        return Probe(name, ok=False, message=str(error))
    cosine = float(cosines(query.vectors, document.vectors)[0])
    length = float((query.vectors[0] ** 2).sum() ** 0.5)
    measured = _measured(embedder, query, cosine, length, first, times)
    doubts = [*_doubts(embedder, card, cosine, length), *_advice(registry, name, cosine)]
    return Probe(name, ok=True, measured=measured, warnings=tuple(doubts))


def _measured(
    embedder: Embedder, query: Embeddings, cosine: float, length: float, first: float, times: list[float]
) -> ProbeAnswer:
    limit = embedder.tokens.max_tokens
    return {
        "space": str(embedder.space),
        "space_digest": embedder.space.digest,
        "dimensions": embedder.space.dimensions,
        "precision": embedder.precision,
        "max_tokens": limit if limit < ANY_LENGTH else None,
        "vector_length": round(length, 4),
        "role_effect": f"cosine of one text as query and as document {cosine:.4f}",
        "billed_tokens": query.usage.tokens,
        "usd_per_million_tokens": embedder.price,
        "first_ms": round(first, 2),
        "latency_ms": {
            "p50": round(sorted(times)[len(times) // 2], 2),
            "max": round(max(times), 2),
            "n": len(times),
        },
    }


def _doubts(embedder: Embedder, card: ModelCard | None, cosine: float, length: float) -> list[str]:
    """Where the answers contradict the card, in words."""
    doubts = []
    if card is None and embedder.remote:
        doubts.append("No card describes this model: its limits and prompts are assumed, not known.")
    if card is None:
        return doubts
    if card.dimensions and embedder.space.transform == "none" and embedder.space.dimensions != card.dimensions:
        doubts.append(f"The card says {card.dimensions} dimensions.")
    asymmetric = bool(card.prompts or card.role_parameter)
    if asymmetric and cosine > SAME_COSINE:
        doubts.append(ALIKE)
    if card.normalised and abs(length - 1) > LENGTH_TOLERANCE:
        doubts.append(f"The card says that vectors have length 1; this one has {length:.3f}.")
    return doubts


def _advice(registry: Registry, name: str, cosine: float) -> list[str]:
    """What to set for a model that has no card, and what of its answers speaks for that."""
    card = registry.suggested_card(name)
    if card is None:
        return []
    advice = registry.advice(name)
    asymmetric = bool(card.prompts or card.role_parameter)
    seen = " It has prompts, and one text came out alike as query and as document: they are not applied."
    return [f"{advice[:1].upper()}{advice[1:]}{seen if asymmetric and cosine > SAME_COSINE else ''}"]
