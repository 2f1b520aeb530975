"""The configuration as one checked value: what `embassay.yaml` and the environment can say."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from embassay.config.unagreed import Unagreed
from embassay.files import expanded
from embassay.words.languages import LANGUAGES

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
"""The model that is used where nobody chose another."""
DEFAULT_PROVIDER = "local"
"""Who runs a model that is given as a folder or a Hugging Face id, and one whose settings name no provider."""
DEFAULT_STORE = "lance"
"""The backend of a new set where nobody chose another."""
HOME_FOLDER = ".embassay"
"""The folder in which a project's home lies, where no other one is named."""
CACHE_FILE = "cache.db"
"""The file of cached vectors, in a home or in the cache folder of the user."""
LEDGER_FILE = "ledger.db"
"""The file of what was spent, beside it."""
Trust = Literal["own", "agreed", "found", "changed"]
"""Of a configuration: made or named by the user; found, and agreed to; found only; agreed to before it changed."""
QueryLogMode = Literal["off", "hashed", "kept"]
"""What is kept of a query: nothing, a hash of its text, or its text."""
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
    """Most that may be spent on all hosted models together."""
    spend_cap_per: Literal["run", "day", "month"] = "month"
    """For how long that is: one run, or the day or month (UTC) of all runs that share a ledger."""

    def __post_init__(self) -> None:
        positive(self, "spend_cap_usd")


class RerankingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default_model: str = ""
    """The reranker that is used where a pipeline names none."""
    models: dict[str, dict[str, Any]] = {}
    """Settings of each reranker, checked by what runs it."""


class QueryLogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which queries the home keeps, how many, and how long."""

    queries: QueryLogMode = "off"
    max_entries: int = 100_000
    max_days: float = 90.0

    def __post_init__(self) -> None:
        positive(self, "max_entries", "max_days")


class SampledJudging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which share of the logged searches a chat model judges, and for how much."""

    share: float = 0.0
    """0: none, which is the default, because what was searched for is sent to it."""
    cap_usd: float = 1.0
    """Most that it may cost in a month (UTC), for all sets of a home together."""

    def __post_init__(self) -> None:
        positive(self, "cap_usd")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}, it must be from 0 to 1")


class MonitorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a home is watched, and what is told to whom."""

    window: int = 200
    """The newest searches of a set that are looked at."""
    every: Seconds = Seconds(60)
    """How often a server looks at the searches that have come; 0: it does not watch."""
    canaries_every: Seconds = Seconds(86400)
    """How often a server asks models for the canary texts, and sets for the saved queries; 0: never."""
    low_score_warn: float | None = None
    low_score_alert: float | None = None
    """Raw scores of the best hit below which a search counts as low; by default they are found out for each space."""
    satisfied: float = 0.7
    """Share of the searches with feedback that are satisfied, below which an alert is raised."""
    webhook: str = ""
    """An address that alerts are sent to; see `Config.told`."""
    judge: SampledJudging = msgspec.field(default_factory=SampledJudging)
    """See `Config.judging`."""

    def __post_init__(self) -> None:
        positive(self, "window")
        not_negative(self, "every", "canaries_every", "satisfied")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. One that is made in Python, or read from a file that the user named, is the user's own."""

    embeddings: EmbeddingsConfig = msgspec.field(default_factory=EmbeddingsConfig)
    reranking: RerankingConfig = msgspec.field(default_factory=RerankingConfig)
    chat: dict[str, Any] = {}
    """Settings of the chat model that expands queries, see `embassay.models.chat`."""
    glossary: Glossary = msgspec.field(default_factory=Glossary)
    cache: CacheConfig = msgspec.field(default_factory=CacheConfig)
    query_log: QueryLogConfig = msgspec.field(default_factory=QueryLogConfig)
    monitor: MonitorConfig = msgspec.field(default_factory=MonitorConfig)
    language: str = ""
    """Of the documents of new sets, as a code such as ``de``; by default it is found out from them."""
    exclude: list[str] = []
    """Patterns of files that no set takes, relative to this file; see `embassay.ingest.exclude`."""
    cards: list[str] = []
    """The user's own card files, relative to this file."""
    file: Path | None = None
    """Where it was read from."""
    found: Unagreed | None = None
    """What a file says that was found by walking up, and to which nobody has agreed; None where all is the user's."""

    trust: Trust = "own"
    """Whose word the file is."""

    def __post_init__(self) -> None:
        if self.language and self.language not in LANGUAGES:
            raise ValueError(f"language is {self.language!r}, it must be one of {', '.join(LANGUAGES)}")

    UNREADABLE: ClassVar[frozenset[str]] = frozenset({"file", "found", "trust"})
    """Fields that no file can say."""

    def card_files(self) -> list[Path]:
        """Paths of the user's own card files, relative to the folder of the configuration file.

        Raises ConfigNotAgreed for one outside of that folder which nobody agreed to.
        """
        return [self._path(name, "cards", does=f"it would read {name}") for name in self.cards]

    def cache_path(self) -> Path | None:
        """Where vectors are cached, if the configuration says it. Raises ConfigNotAgreed as `card_files` does."""
        name = self.cache.path
        return self._path(name, "cache", "path", does=f"it would write to {name}") if name else None

    def logged(self) -> QueryLogConfig:
        """What is kept of queries. Raises ConfigNotAgreed where a file that nobody agreed to wants them kept."""
        if self.query_log.queries != "off" and self.found and self.found.says("query_log", "queries"):
            raise self.found.refusal("it would have what you search for kept in the home")
        return self.query_log

    def told(self) -> str:
        """The address that alerts are sent to; empty for none. Raises ConfigNotAgreed for that of a file that nobody
        agreed to."""
        if self.monitor.webhook and self.found and self.found.says("monitor", "webhook"):
            raise self.found.refusal("it would have alerts sent to an address of its own")
        return self.monitor.webhook

    def judging(self) -> SampledJudging:
        """Which searches a chat model judges. Raises ConfigNotAgreed where a file that nobody agreed to wants it."""
        if self.monitor.judge.share and self.found and self.found.says("monitor", "judge"):
            raise self.found.refusal("it would have what you search for sent to a chat model")
        return self.monitor.judge

    def _path(self, name: str, *key: str, does: str) -> Path:
        """A path relative to the folder of the file. Links are followed to tell whether it lies inside."""
        root = self.file.parent if self.file else Path()
        path = root / expanded(name)
        if self.found and self.found.says(*key):
            inside = Path(os.path.realpath(root))
            try:
                real = Path(os.path.realpath(path))
            except (OSError, ValueError):
                raise self.found.refusal(does) from None
            if not real.is_relative_to(inside):
                raise self.found.refusal(does)
        return path


def user_cache() -> Path:
    """The cache of this user: ``$XDG_CACHE_HOME/embassay/cache.db``."""
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "embassay" / CACHE_FILE
