"""Rerankers of a configuration, over the services of the tests."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embassay.config.reading import checked
from embassay.config.values import Config
from embassay.session import Session
from tests.reranking.services import settings


def config(kind: str, url: str, cache: Path, spend: float | None = None, **more: Any) -> Config:
    """One whose only reranker is `kind`, called ``r``."""
    raw: dict[str, Any] = {
        "reranking": {"default_model": "r", "models": {"r": settings(kind, url, **more)}},
        "cache": {"path": str(cache / "cache.db")},
        "embeddings": {"spend_cap_usd": spend} if spend else {},
    }
    return checked(raw, Config, "test")


@contextmanager
def session(kind: str, url: str, cache: Path, spend: float | None = None, **more: Any):
    """The configured reranker ready to be asked; nothing is written beside `cache`."""
    with Session(config(kind, url, cache, spend, **more), cache_file=cache / "cache.db") as opened:
        yield opened
