"""What a model really answers, held against what its card says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError
from embassay.evaluate.speed.machine import QUERY

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.types import Embeddings

ANY_LENGTH = 1 << 30
"""A token limit of this or more stands for none."""
SAME_COSINE = 0.9999
"""Vectors of one text in both roles that are more alike than this are the same vector."""
LENGTH_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Probe:
    """What a model answered to a handful of short texts."""

    model: str
    ok: bool
    message: str = ""
    """Why it did not answer."""
    measured: dict[str, object] = field(default_factory=dict)
    """What was seen of a model that answers, as the JSON output has it."""
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The probe as the JSON output has it."""
        health = {"ok": self.ok, "message": self.message}
        return {"model": self.model, "health": health, "warnings": list(self.warnings), **self.measured}


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
    cosine = _cosine(query.vectors[0], document.vectors[0])
    length = float((query.vectors[0] ** 2).sum() ** 0.5)
    measured = _measured(embedder, query, cosine, length)
    measured |= {
        "first_ms": round(first, 2),
        "latency_ms": {
            "p50": round(sorted(times)[len(times) // 2], 2),
            "max": round(max(times), 2),
            "n": len(times),
        },
    }
    return Probe(name, ok=True, measured=measured, warnings=tuple(_doubts(embedder, card, cosine, length)))


def _measured(embedder: Embedder, query: Embeddings, cosine: float, length: float) -> dict[str, object]:
    limit = embedder.tokens.max_tokens
    return {
        "space": str(embedder.space),
        "dimensions": embedder.space.dimensions,
        "precision": embedder.precision,
        "max_tokens": limit if limit < ANY_LENGTH else None,
        "vector_length": round(length, 4),
        "role_effect": f"cosine of one text as query and as document {cosine:.4f}",
        "billed_tokens": query.usage.tokens,
        "usd_per_million_tokens": embedder.price,
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
        doubts.append("The role changes nothing, though the model has a prompt for each: prompts are not applied.")
    if card.normalised and abs(length - 1) > LENGTH_TOLERANCE:
        doubts.append(f"The card says that vectors have length 1; this one has {length:.3f}.")
    return doubts


def _cosine(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    import numpy as np

    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
