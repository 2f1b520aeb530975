"""Where a request may go, and what may go with it.

A key goes to the provider's own hosts, to this machine, to an address of the environment, and wherever a configuration
says that is the user's own. It goes nowhere else, and it goes unencrypted to this machine alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from embassay import remedy
from embassay.errors import ConfigError

if TYPE_CHECKING:
    import httpx

    from embassay.config.unagreed import Unagreed
    from embassay.embedders.settings import HttpSettings


class Destination(Protocol):
    """What is known of the places of a provider; `Api` is one."""

    @property
    def settings(self) -> HttpSettings:
        """The settings of the model that requests are for."""

    def base_url(self) -> str:
        """Where requests go, without a slash at the end."""

    def own_hosts(self) -> Iterable[str]:
        """The provider's own hosts; ``*`` stands for letters, digits and dashes."""

    def user_urls(self) -> Iterable[str]:
        """Addresses that the environment names, which are the user's own."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, whoever is asked for its address."""
    from ipaddress import ip_address

    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def whole_url(base: str, path: str) -> httpx.URL:
    """The address of a request: `path`, which may have a query, below `base`, whose own query comes behind it.

    Raises httpx.InvalidURL.
    """
    import httpx

    base, _, query = base.partition("?")
    return httpx.URL(base + path + (("&" if "?" in path else "?") + query if query else ""))


def check_place(place: Destination, url: httpx.URL, name: str) -> None:
    """Raises ConfigNotAgreed where a configuration that nobody has agreed to would have texts sent to `url`."""
    found = place.settings.found
    if found is None or is_loopback(url.host):
        return
    if not _is_own(place, url):
        if _is_users(place, url):
            return
        raise found.refusal(f"{name} would send texts and keys to {origin(url)}")
    _check_account(place.settings, found, name)


def check_encrypted(place: Destination, url: httpx.URL, name: str) -> None:
    """Raises ConfigError where a secret would go to `url` for everybody to read."""
    settings = place.settings
    if url.scheme != "http" or is_loopback(url.host) or (settings.allow_http and not settings.is_found("allow_http")):
        return
    raise ConfigError(
        f"{name}: a key would go to {origin(url)} without encryption.",
        remedy=remedy.setting("base_url", "https://...", say="Set {}; where that network is yours alone,")
        + remedy.setting("allow_http", "true", say="{};")
        + remedy.setting("api_key", "none", say="to send no key, {}."),
    )


def origin(url: httpx.URL) -> str:
    """Scheme, host and port, without what may be secret."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port else "")


def meant(base_url: str, path: str, ending: str) -> str:
    """The base URL that was probably meant where `base_url` leads nowhere; empty where nothing speaks for another.

    `path`: of a request, which people write as well. `ending`: what base URLs of the kind end in, such as ``/v1``.
    """
    base, mark, query = base_url.partition("?")
    base, path = base.rstrip("/"), path.partition("?")[0]
    if path and base.endswith(path):
        found = base.removesuffix(path)
    elif not ending:
        found = base.removesuffix("/v1")
    else:
        found = base if re.search(r"/v\d", base) else base + ending
    return "" if found == base else found + mark + query


def _check_account(settings: HttpSettings, found: Unagreed, name: str) -> None:
    """Refuse a key or a header of the file: at the provider's own hosts, texts would arrive in its author's account."""
    for setting in ("api_key", "headers"):
        value = getattr(settings, setting)
        if value and value != "none" and settings.is_found(setting):
            raise found.refusal(f"{name} would send texts with {setting} of its own")


def _is_own(place: Destination, url: httpx.URL) -> bool:
    host = url.raw_host.decode("ascii", "replace").lower()
    patterns = (re.escape(own).replace(r"\*", "[a-z0-9-]+") for own in place.own_hosts())
    return url.scheme == "https" and any(re.fullmatch(pattern, host) for pattern in patterns)


def _is_users(place: Destination, url: httpx.URL) -> bool:
    """Whether the user chose the address: its scheme and port are compared as well as its host."""
    import httpx

    chosen = [*place.user_urls()]
    if place.settings.base_url and not place.settings.is_found("base_url"):
        chosen.append(place.settings.base_url)
    for text in chosen:
        try:
            if origin(httpx.URL(text)) == origin(url):
                return True
        except httpx.InvalidURL:
            continue
    return False
