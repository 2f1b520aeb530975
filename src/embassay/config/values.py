"""The configuration as one checked value: what `embassay.yaml` and the environment can say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""The model that is used where nobody chose another."""
DEFAULT_PROVIDER = "local"
"""Who runs a model that is given as a folder or a Hugging Face id, and one whose settings name no provider."""
DEFAULT_STORE = "lance"
"""The backend of a new set where nobody chose another."""
CACHE_FILE = "cache.db"
"""The file of cached vectors, in a home or in the cache folder of the user."""
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


LARGEST = 1e15
"""No number of a configuration has to be larger: it would not fit where it is used."""


def positive(settings: msgspec.Struct, *names: str) -> None:
    """Raises ValueError for a number that is not above 0, or beyond `LARGEST`; None is no number."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 < value <= LARGEST:
            raise ValueError(f"{name} is {value}, it must be above 0 and at most {LARGEST:g}")


def not_negative(settings: msgspec.Struct, *names: str) -> None:
    """Raises ValueError for a number that is below 0, or beyond `LARGEST`; None is no number."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and not 0 <= value <= LARGEST:
            raise ValueError(f"{name} is {value}, it must be from 0 to {LARGEST:g}")


class Seconds(float):
    """Written ``30``, ``30s``, ``500ms``, ``5m``, ``12h`` or ``30d``."""

    @classmethod
    def parse(cls, value: object) -> Seconds:
        """Seconds of ``30``, ``30s``, ``500ms``, ``5m``, ``12h`` or ``30d``. Raises ValueError for anything else."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", str(value))
        if not match or isinstance(value, bool):
            raise ValueError(f"{value!r} is no time: write 30s, 5m, 12h or 30d")
        return cls(float(match[1]) * _UNITS[match[2] or "s"])


class Glossary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms and what they stand for."""

    terms: dict[str, str] = {}
    apply_to: Literal["query", "document", "both"] = "query"


class CacheConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str = ""
    """A file; default: ``cache.db`` in the home."""
    max_gb: float = 5.0

    def __post_init__(self) -> None:
        positive(self, "max_gb")


class EmbeddingsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default_model: str = ""
    models: dict[str, dict[str, Any]] = {}
    """Settings of each model, checked by its provider."""
    fallback_chain: list[str] = []
    spend_cap_usd: float | None = None
    """Most that one run may spend on all hosted models together."""

    def __post_init__(self) -> None:
        positive(self, "spend_cap_usd")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    embeddings: EmbeddingsConfig = msgspec.field(default_factory=EmbeddingsConfig)
    glossary: Glossary = msgspec.field(default_factory=Glossary)
    cache: CacheConfig = msgspec.field(default_factory=CacheConfig)
    cards: list[str] = []
    """The user's own card files, relative to this file."""
    file: Path | None = None
    """Where it was read from."""

    def card_files(self) -> list[Path]:
        """Paths of the user's own card files, relative to the folder of the configuration file."""
        root = self.file.parent if self.file else Path()
        return [root / Path(name).expanduser() for name in self.cards]
