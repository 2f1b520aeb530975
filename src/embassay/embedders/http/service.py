"""A service over HTTP: its address, its key, and where either may come from. Models of every kind are asked there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from embassay.embedders.http.destination import meant

if TYPE_CHECKING:
    from embassay.embedders.settings import HttpSettings


class HttpService:
    """One service, set up for one model."""

    url: ClassVar[str]
    """Default base URL."""
    key_variables: ClassVar[Sequence[str]] = ()
    """Environment variables that may hold the key, first found wins; empty: none is needed."""
    url_variable: ClassVar[str] = ""
    """Environment variable that may hold another base URL."""
    hosts: ClassVar[Sequence[str]] = ()
    """The provider's own hosts besides that of `url`; ``*`` stands for letters, digits and dashes."""

    settings: HttpSettings

    def base_url(self) -> str:
        """Where requests go, without a slash at the end: as set, else from the environment, else the default."""
        return (self.settings.base_url or os.environ.get(self.url_variable) or self.url).rstrip("/")

    def meant_url(self, path: str) -> str:
        """The base URL that was probably meant where this one leads to no service; empty where nothing tells."""
        return meant(self.base_url(), path, urlsplit(self.url).path)

    def own_hosts(self) -> Sequence[str]:
        """Where the provider's usual key may go, though nobody agreed to the configuration; over https alone."""
        return [*self.hosts, *filter(None, [urlsplit(self.url).hostname])]

    def user_urls(self) -> Sequence[str]:
        """Addresses that the environment names: the user's own."""
        return [*filter(None, [os.environ.get(self.url_variable)])]

    def needs_key(self) -> bool:
        """Whether nothing can be sent without a key. A server of the user's own may go without."""
        return bool(self.key_variables) and self.is_default_service()

    def is_paid(self) -> bool:
        """Whether texts are billed, though nobody may know at what price."""
        return self.needs_key()

    def authorise(self, key: str) -> Mapping[str, str]:
        """Headers that carry the key, which may be empty."""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def sign(self, url: str, body: bytes, key: str) -> Mapping[str, str]:  # noqa: ARG002
        """Headers that depend on the exact request; made anew for every attempt."""
        return {}

    def is_default_service(self) -> bool:
        """Whether the model's name alone identifies it: not on a server of the user's own."""
        return self.base_url() == self.url
