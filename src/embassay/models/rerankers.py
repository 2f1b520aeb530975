"""Rerankers by name: opened when first used, once, checked, and with their scores kept where they are paid for."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.config.reading import checked
from embassay.config.values import DEFAULT_PROVIDER
from embassay.embedders.settings import Settings
from embassay.errors import ConfigError, EmbassayError, ModelNotFound, UsageError
from embassay.files import expanded
from embassay.models.reference import parse_reference
from embassay.models.suggestion import misspelt_ids
from embassay.reranking.opening import open_reranker, reranker_names, settings_of
from embassay.reranking.timed import TimedReranker
from embassay.reranking.wrap.cached import CachedScores
from embassay.reranking.wrap.checked import Checked
from embassay.text import did_you_mean, nearest_names, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.catalog.card import RerankerCard
    from embassay.config.values import Config
    from embassay.embedders.keeper import Vault
    from embassay.embedders.wrap.budget import Budget
    from embassay.reranking.base import Reranker

ADDRESS = ("http://", "https://")
"""How a server is written in place of a model's name: ``tei/http://localhost:8080``."""


class Rerankers:
    """Threads may share it. Whoever makes it closes it."""

    def __init__(self, config: Config, vault: Callable[[], Vault], budget: Callable[[], Budget]) -> None:
        """`vault` is asked for where scores are kept, and `budget` for what pays, when a reranker is first opened.

        Raises ConfigError or PluginError for settings that no reranker has.
        """
        self._config, self._vault, self._budget = config, vault, budget
        self._lock = threading.RLock()
        self._registered: dict[str, Reranker] = {}
        self._opened: dict[str, TimedReranker] = {}
        self._configured: Mapping[str, Settings] = {
            name: msgspec.structs.replace(self._checked(name, raw), found=self._found(name))
            for name, raw in config.reranking.models.items()
        }

    def register(self, name: str, reranker: Reranker) -> None:
        """Add a reranker under a name, or replace what had that name. It stays its owner's to close."""
        with self._lock:
            self._registered[name] = reranker
            self._opened.pop(name, None)

    @property
    def default_name(self) -> str:
        """The one that is used where nobody names one. Raises ConfigError where none is configured."""
        chosen = self._config.reranking.default_model
        if not chosen:
            raise ConfigError(
                "no reranker is named, and none is configured.",
                remedy=remedy.setting("reranking", "{default_model: NAME}", say="Name one, or set {}."),
            )
        return chosen

    def get(self, name: str = "") -> TimedReranker:
        """A reranker by its name; see `settings`. Raises ModelError, ConfigError, PluginError."""
        name = name or self.default_name
        with self._lock:
            if name not in self._opened:
                self._opened[name] = TimedReranker(self._open(name))
            return self._opened[name]

    def settings(self, name: str) -> Settings:
        """What a reranker would be opened with: one of the configuration, of the catalog, ``provider/model``, a folder
        or a Hugging Face id, with ``@int8`` behind it where a precision is wanted.

        Raises ModelNotFound, ConfigError, PluginError.
        """
        reference = parse_reference(name)
        if "dimensions" in reference.options:
            raise UsageError(f"{name!r} asks for dimensions, and a reranker makes no vectors.")
        known = self._configured.get(reference.base) or self._of_id(reference.base)
        return msgspec.structs.replace(known, **reference.options) if reference.options else known

    def card(self, name: str) -> RerankerCard | None:
        """What the catalog says of a reranker; None where nothing is known."""
        settings = self.settings(name)
        cards = self._cards()
        if settings.card:
            found = cards.get(settings.card)
            if found is None:
                raise ConfigError(f"{name}: no card {settings.card!r}.", remedy=did_you_mean(settings.card, cards))
            return found
        at = (settings.provider, settings.model_id)
        return next((c for c in cards.values() if at in c.provider_ids.items()), cards.get(settings.model_id))

    def close(self) -> None:
        """Close whatever was opened here; it may be used again."""
        with self._lock:
            opened, self._opened = self._opened, {}
        for name, reranker in opened.items():
            with suppress(EmbassayError, RuntimeError):
                reranker.settle()
                if name not in self._registered:
                    reranker.close()

    def _open(self, name: str) -> Reranker:
        if (registered := self._registered.get(name)) is not None:
            return Checked(registered)
        settings = self.settings(name)
        made: Reranker = Checked(open_reranker(settings, self.card(name), self._budget()))
        kept = made.remote if settings.cache_enabled is None else settings.cache_enabled
        return CachedScores(made, self._vault(), settings.cache_ttl) if kept else made

    def _of_id(self, base: str) -> Settings:
        card = self._cards().get(base)
        if card is not None:
            provider = next(iter(card.provider_ids), DEFAULT_PROVIDER)
            return self._named(base, provider, card.provider_ids.get(provider, base))
        first, _, rest = base.partition("/")
        if _is_folder(base):
            return self._named(base, DEFAULT_PROVIDER, os.path.abspath(expanded(base)))
        meant = [] if rest.startswith(ADDRESS) else misspelt_ids(base, [*self._cards()], reranker_names())
        if rest and not meant:
            return self._named(base, *((first, rest) if first in reranker_names() else (DEFAULT_PROVIDER, base)))
        near = meant or nearest_names(base, [*self._configured, *self._cards()])
        raise ModelNotFound(
            f"no reranker is called {base!r}.",
            remedy=remedy.say(one_of(near) if near else "Write a name of embassay.yaml, provider/model or a folder.")
            + remedy.command("models list", rerankers=True, say="{} shows those of the catalog."),
        )

    def _named(self, name: str, provider: str, model: str) -> Settings:
        where = "base_url" if model.startswith(ADDRESS) else "model_id"
        return self._checked(name, {"provider": provider, where: model})

    def _cards(self) -> Mapping[str, RerankerCard]:
        from embassay.catalog.catalog import shipped

        files = self._config.card_files()
        return (shipped().with_files(files) if files else shipped()).rerankers

    def _checked(self, name: str, raw: Mapping[str, object]) -> Settings:
        """Raises ConfigError or PluginError that names the reranker and the key."""
        kind = settings_of(str(raw.get("provider", DEFAULT_PROVIDER)))
        return checked(raw, kind, f"{self._config.file or 'settings'}, reranker {name!r}")

    def _found(self, name: str) -> object:
        """What of a configured reranker nobody has agreed to."""
        return self._config.found and self._config.found.below("reranking", "models", str(name))


def _is_folder(name: str) -> bool:
    try:
        return name.startswith((".", "/", "~")) or Path(name).is_dir()
    except (OSError, ValueError):  # no name of a file
        return False
