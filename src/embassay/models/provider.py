"""What a provider's module says, with the answers of one that does not say.

This is the only place that looks into the modules of `embassay.embedders.providers`. A module has ``Settings``, and
either ``open_embedder(settings, card) -> Embedder`` or, over HTTP, ``open_api(settings, card) -> Api``. It may have:

    def takes(model_id) -> bool           whether ``provider/model_id`` names a model of it; "" is its bare name
    def canonical(model_id) -> str        the card's name for a model that goes by several
    def sizes(settings, card) -> bool     whether it is itself asked for fewer dimensions; else vectors are cut here
    NEEDS_CARD = False                    where there is nothing to know of its models: any dimensions are right
    REMOTE = True                         where texts leave this process, though not over HTTP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embassay import plugins
from embassay.embedders.settings import Settings

if TYPE_CHECKING:
    from embassay.canaries import Anchor, CanaryMemory
    from embassay.catalog.card import ModelCard
    from embassay.embedders.base import Embedder
    from embassay.embedders.http.credentials import SecretUse
    from embassay.embedders.keeper import Keeper
    from embassay.embedders.wrap.budget import Budget

PROVIDERS = "embassay.embedders.providers"


def provider_names() -> tuple[str, ...]:
    """Every provider there is, sorted, without importing one."""
    return plugins.names(PROVIDERS)


def load_provider(name: str) -> Provider:
    """The provider called `name`. Raises PluginError for an unknown name, or where something has to be installed."""
    return Provider(name, plugins.load(PROVIDERS, name))


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's module."""

    name: str
    module: Any

    @property
    def settings(self) -> type[Settings]:
        """The class of what can be set for its models."""
        chosen: type[Settings] = self.module.Settings
        return chosen

    @property
    def needs_card(self) -> bool:
        """Whether a model without a card is one of which something is not known."""
        return bool(getattr(self.module, "NEEDS_CARD", True))

    @property
    def remote(self) -> bool:
        """Whether texts leave this process, so that vectors are worth keeping."""
        return bool(getattr(self.module, "REMOTE", self._is_http))

    def takes(self, model_id: str) -> bool:
        """Whether ``provider/model_id`` is a model of this provider. The bare name of a provider usually is none."""
        said = getattr(self.module, "takes", None)
        return bool(said(model_id) if said else model_id)

    def canonical(self, model_id: str) -> str:
        """The name by which the card of a model goes."""
        return str(getattr(self.module, "canonical", str)(model_id))

    def sizes(self, settings: Settings, card: ModelCard | None) -> bool:
        """Whether it is itself asked for the dimensions in `settings`; otherwise its vectors are cut here."""
        said = getattr(self.module, "sizes", None)
        return bool(said and said(settings, card))

    def open(
        self,
        settings: Settings,
        card: ModelCard | None,
        keeper: Keeper | None = None,
        memory: CanaryMemory | None = None,
        anchor: Anchor | None = None,
        budget: Budget | None = None,
    ) -> Embedder:
        """The provider's own embedder; nothing is loaded or sent. One over HTTP has its vectors kept by `keeper`, and
        its requests paid for from `budget`.

        It is held against the canaries of a set, in `anchor`, or else against those that `memory` has of it. Raises
        ModelError, ConfigError or PluginError.
        """
        settings.check_agreed()
        if not self._is_http:
            opened: Embedder = self.module.open_embedder(settings, card)
            return opened
        from embassay.embedders.http.driver import HttpEmbedder

        api = self.module.open_api(settings, card)
        return HttpEmbedder(api, keeper, memory, anchor.own if anchor else None, budget)

    def secrets(self, settings: Settings, card: ModelCard | None) -> Sequence[SecretUse]:
        """Every secret that its service would be told, and where that is. Raises ConfigError where it is nowhere."""
        if not self._is_http:
            return ()
        from embassay.embedders.http.connection import Connection

        api = self.module.open_api(settings, card)
        return Connection(api, self.name).secrets(api.request(["text"], "query").path)

    @property
    def _is_http(self) -> bool:
        return hasattr(self.module, "open_api")
