"""The chat model of a configuration: asked once for each message, below the cap, and its answers are kept."""

from __future__ import annotations

import threading
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.chat.capped import CappedChat
from embassay.chat.client import ChatSettings
from embassay.config.reading import checked
from embassay.config.values import not_negative
from embassay.embedders.keeper import Kept
from embassay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.config.values import Config
    from embassay.embedders.keeper import Vault
    from embassay.embedders.wrap.budget import Budget

LONGEST = 20_000
"""Characters of an answer that are kept and read: an expansion of a query is a fraction of it."""


class ExpandingSettings(ChatSettings, frozen=True, kw_only=True):
    """What can be said below ``chat`` in a configuration."""

    temperature: float | None = 0.0
    """None: the server's own. A search is to find the same twice."""
    usd_per_million_tokens_out: float | None = None
    """Price of what the model writes; ``usd_per_million_tokens`` is that of what it reads."""

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that cannot be."""
        ChatSettings.__post_init__(self)
        not_negative(self, "usd_per_million_tokens_out")


class ConfiguredChat:
    """Opened when it is first asked. Threads may share it."""

    def __init__(self, config: Config, vault: Callable[[], Vault], budget: Callable[[], Budget]) -> None:
        """`vault` is where answers are kept, and `budget` pays."""
        self._config, self._vault, self._budget = config, vault, budget
        self._lock = threading.Lock()
        self._opened: tuple[CappedChat, ExpandingSettings] | None = None

    def text(self, message: str) -> str:
        """What the model answers, without its reasoning: as it did when it was asked the same before.

        Raises ProviderError; ConfigError where no chat model is configured, or none that can be asked below the cap.
        """
        chat, settings = self._chat()
        key = _key(chat, settings, message)
        kept = self._vault().get([key], settings.cache_ttl) if settings.cache_enabled is not False else {}
        if key in kept:
            return kept[key].vector.decode("utf-8", "replace")
        answer = chat.say(message)
        text = answer.text[:LONGEST]
        if text and settings.cache_enabled is not False:
            self._vault().put([(key, Kept(text.encode("utf-8", "replace"), answer.tokens_out or 0))])
        return text

    def close(self) -> None:
        """Close the connection; it may be used again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened[0].close()

    def _chat(self) -> tuple[CappedChat, ExpandingSettings]:
        with self._lock:
            if self._opened is None:
                settings = self._settings()
                prices = settings.usd_per_million_tokens, settings.usd_per_million_tokens_out
                known = None if None in prices else (prices[0] or 0.0, prices[1] or 0.0)
                self._opened = CappedChat(settings, self._budget(), known), settings
            return self._opened

    def _settings(self) -> ExpandingSettings:
        """Raises ConfigError, and ConfigNotAgreed."""
        where = f"{self._config.file or 'settings'}, chat"
        settings = checked(self._config.chat, ExpandingSettings, where)
        if not settings.model_id:
            raise ConfigError(
                "no chat model is configured.",
                remedy=remedy.setting("chat", "{model_id: NAME, base_url: URL}", say="Set {}."),
            )
        found = self._config.found and self._config.found.below("chat")
        settings = msgspec.structs.replace(settings, found=found)
        settings.check_agreed()
        return settings


def _key(chat: CappedChat, settings: ExpandingSettings, message: str) -> bytes:
    """Of everything that decides an answer."""
    parts = [chat.base_url(), settings.model_id, settings.temperature, settings.max_reply_tokens, settings.revision]
    named = msgspec.json.encode([*parts, settings.extra_body], order="sorted")
    return blake2b(b"chat\0" + named + b"\0" + message.encode("utf-8", "surrogatepass"), digest_size=16).digest()
