"""What models and this machine really do: speed, prices of a folder, probes. Used before choosing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from embassay.catalog.machine import QUERY_TOKENS, Machine, flops_per_token
from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.base import Embedder
from embassay.errors import EmbassayError, ModelError
from embassay.models.registry import Registry

if TYPE_CHECKING:
    from embassay.types import Role

WARM_UP, ROUNDS = 3, 9
ANY_LENGTH = 1 << 30
SCANNED = 64 << 20
"""Bytes read to time a scan: more than any cache holds."""
QUERY = "how long does a password reset link stay valid after it was sent"
"""16 tokens with the two special ones."""


@cache
def measure_machine() -> Machine:
    """This machine, by the default model if it is here (about a second); otherwise the figures of 2 known cores."""
    from embassay.catalog.catalog import shipped
    from embassay.embedders.providers.local import open_local

    card = shipped().models[DEFAULT_MODEL]
    per_token = flops_per_token(card)
    assert per_token
    try:
        embedder = open_local(DEFAULT_MODEL, offline=True)
        query = least_seconds(embedder, [QUERY], "query", ROUNDS)
        batch = least_seconds(embedder, [f"{QUERY} {i}" for i in range(256)], "document", 3)
    except ModelError:
        return Machine()
    tokens = sum(embedder.tokens.count([f"{QUERY} {i}" for i in range(256)]))
    return Machine(per_token * QUERY_TOKENS / query, per_token * tokens / batch, bandwidth(), measured=True)


def least_seconds(embedder: Embedder, texts: Sequence[str], role: Role, rounds: int) -> float:
    """Of several rounds: what else the machine is doing only ever adds."""
    for _ in range(WARM_UP):
        embedder.embed(texts[:1], role)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        embedder.embed(texts, role)
        times.append(time.perf_counter() - started)
    return min(times)


def bandwidth() -> float:
    """Bytes a second of a dot product over vectors that no cache holds."""
    import numpy as np

    vectors = np.ones((SCANNED // (384 * 4), 384), np.float32)
    query = np.ones(384, np.float32)
    vectors @ query
    times = []
    for _ in range(3):
        started = time.perf_counter()
        vectors @ query
        times.append(time.perf_counter() - started)
    return vectors.nbytes / min(times)


def probe(registry: Registry, name: str, requests: int) -> dict[str, Any]:
    """What `name` answers when it is asked, past every cache; never raises for a model that fails."""
    warnings: list[str] = []
    found: dict[str, Any] = {"model": name, "health": {"ok": False, "message": ""}, "warnings": warnings}
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
        found["health"]["message"] = str(error)
        return found
    cosine = _cosine(query.vectors[0], document.vectors[0])
    length = float((query.vectors[0] ** 2).sum() ** 0.5)
    found["health"]["ok"] = True
    found |= {
        "space": str(embedder.space),
        "dimensions": embedder.space.dimensions,
        "precision": embedder.precision,
        "max_tokens": embedder.tokens.max_tokens if embedder.tokens.max_tokens < ANY_LENGTH else None,
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
    warnings += _doubts(embedder, card, cosine, length)
    return found


def _doubts(embedder: Embedder, card: Any, cosine: float, length: float) -> list[str]:
    """What the answers say against the card."""
    doubts = []
    if card is None and embedder.remote:
        doubts.append("No card describes this model: its limits and prompts are assumed, not known.")
    if card is None:
        return doubts
    if card.dimensions and embedder.space.transform == "none" and embedder.space.dimensions != card.dimensions:
        doubts.append(f"The card says {card.dimensions} dimensions.")
    asymmetric = bool(card.prompts or card.role_parameter)
    if asymmetric and cosine > 0.9999:
        doubts.append("The role changes nothing, though the model has a prompt for each: prompts are not applied.")
    if card.normalised and abs(length - 1) > 0.01:
        doubts.append(f"The card says that vectors have length 1; this one has {length:.3f}.")
    return doubts


def check_models(registry: Registry, *, health: bool = False) -> list[dict[str, Any]]:
    """Every configured model: what keeps it from working, and what to know. Nothing is sent without `health`."""
    healths = registry.health() if health else {}
    return [_check(registry, name, healths.get(name)) for name in registry.names()]


def _check(registry: Registry, name: str, health: Any) -> dict[str, Any]:
    settings = registry.settings(name)
    row: dict[str, Any] = {
        "name": name,
        "provider": settings.provider,
        "model_id": settings.model_id,
        "problem": "",
        "notes": [],
    }
    notes = row["notes"]
    try:
        card = registry.card(name)
        if card and card.retired:
            row["problem"] = f"{card.id} was retired on {card.retired}."
            return row
        registry.bare(name).check_ready()
    except EmbassayError as error:
        row["problem"] = str(error)
        return row
    if card is None and registry.provider(name).needs_card:
        notes.append("No card: its limits, prompts and price are not known.")
    key = getattr(settings, "api_key", "")
    if key and "${" not in key:
        notes.append("The key stands in the file: write ${NAME} and keep it in the environment.")
    if card and card.commercial is False:
        notes.append(f"Its licence ({card.licence}) forbids commercial use.")
    if health is not None:
        if health.ok:
            notes.append(f"Answered in {health.milliseconds:.0f} ms.")
        else:
            row["problem"] = health.message
    return row


def _cosine(a: Any, b: Any) -> float:
    import numpy as np

    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12))
