"""A model over HTTP, and services that answer it well or as told."""

from __future__ import annotations

from typing import Any

import numpy as np

from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.openai import Settings, open_api
from tests.servers import Answer, Server, hash_openai, openai_body

TEXTS = [f"text number {i}" for i in range(7)]
EXPECTED = hashed(TEXTS, 64)
GOOD = hash_openai()
LONG = "word " * 300


def model(server: Server, *, keeper: Keeper | None = None, **settings: Any) -> HttpEmbedder:
    defaults: dict[str, Any] = {"model_id": "m", "base_url": f"{server.url}/v1", "deadline": 6.0, "timeout": 2.0}
    return HttpEmbedder(open_api(Settings(**{**defaults, **settings}), None), keeper)


def first(*answers: Answer) -> Any:
    """These answers one after the other, then good ones."""
    left = list(answers)
    return lambda request: left.pop(0) if left else GOOD(request)


def body(vectors: np.ndarray = EXPECTED, **changes: Any) -> dict[str, Any]:
    return openai_body(vectors) | changes
