"""What a request has to be like before it is asked who makes it: whose name it came in by, from which page, from where.

A server on loopback without keys trusts whoever reaches it, and a browser reaches it for every page that is open in it.
So the name that a request came in by has to be one of this server's (a page whose own name was made to lead to
127.0.0.1 is refused), and a page of somebody else's may not ask at all.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from embassay import remedy
from embassay.errors import UsageError
from embassay.server.keys.heads import Heads
from embassay.server.refusals import HostRefused, OriginRefused, RequestInvalid

ANY = "*"
UNIX = "unix"
"""A proxy that comes by a Unix socket, and the address of a server that listens on one: ``unix:/run/embassay.sock``."""
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,60}", re.ASCII)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """From where a request comes."""

    address: str
    """Of the client, as the last proxy that is trusted says it; `UNIX` for a Unix socket."""
    is_near: bool
    """Whether it comes from this machine, and from no page of a browser that belongs to another site."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The rules of one server."""

    host: str = "127.0.0.1"
    """The address that it listens on."""
    hosts: tuple[str, ...] = ()
    """Names that it answers to besides those of loopback; `ANY` for every name."""
    origins: tuple[str, ...] = ()
    """Origins of pages that may ask; `ANY` for every page."""
    proxies: tuple[Network | str, ...] = ()
    """Addresses of proxies whose word is taken for whom they ask; `UNIX` for one by a Unix socket."""
    open_metrics: bool = False
    """Whether metrics are told to whoever asks, without a key."""

    @classmethod
    def of(
        cls,
        host: str = "127.0.0.1",
        *,
        allow_host: Sequence[str] = (),
        allow_origin: Sequence[str] = (),
        trusted_proxy: Sequence[str] = (),
        open_metrics: bool = False,
    ) -> Entrance:
        """The rules that the options of a server ask for. Raises UsageError."""
        hosts = tuple(_host(name) for name in allow_host)
        origins = tuple(_origin(origin) for origin in allow_origin)
        return cls(host, hosts, origins, tuple(_network(address) for address in trusted_proxy), open_metrics)

    def check(self, heads: Heads, peer: str | None) -> Caller:
        """Let a request in, or raise RequestInvalid, HostRefused or OriginRefused. `peer` None: by a Unix socket."""
        self._check_host(heads.host)
        own_page = self._check_page(heads)
        address = self._client(heads, peer or UNIX)
        named = self._is_trusted(peer or UNIX)
        return Caller(address, own_page and is_loopback(address) and (named or not heads.is_forwarded))

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of this origin may ask and read the answer."""
        return ANY in self.origins or origin.lower() in self.origins

    def shows_metrics(self, caller: Caller) -> bool:
        """Whether this caller may read metrics without a key: from this machine, or where everybody may."""
        return caller.is_near or self.open_metrics

    def _check_host(self, host: str) -> None:
        if not host:
            raise RequestInvalid("the request has no header Host.", remedy="Send the name of the server in it.")
        name = name_of(host)
        if name is None:
            raise RequestInvalid("the header Host is no name and no address.", remedy="Send the name of the server.")
        if is_loopback(name) or ANY in self.hosts or name in self.hosts or _matches(name, self.hosts):
            return
        if not is_loopback(self.host) and (name == self.host.lower() or _address(name) is not None):
            return  # a page has a name: its browser never asks by an address that is not the page's own
        raise HostRefused(
            f"this server does not answer to the name {name[:100]!r}.",
            remedy=remedy.command("serve", allow_host=name[:100], say="Whoever runs it can have it do so"),
        )

    def _check_page(self, heads: Heads) -> bool:
        """Whether no page asks, or one of this server's own or that its user named. Raises OriginRefused for one that
        may not."""
        if not heads.origin:
            if heads.site == "cross-site" and heads.mode != "navigate":
                raise _refused("another site")
            return heads.site in ("", "none", "same-origin")
        if heads.origin.partition("://")[2].lower() == heads.host.lower():
            return True
        if not self.allows_origin(heads.origin):
            raise _refused(heads.origin)
        return heads.origin.lower() in self.origins

    def _client(self, heads: Heads, peer: str) -> str:
        """The last address of ``X-Forwarded-For`` that is no proxy of ours: those before it, anybody can write."""
        address = peer
        for said in reversed(heads.forwarded_for.split(",") if heads.forwarded_for else ()):
            if not self._is_trusted(address):
                break
            address = (name_of(said.strip()) or "unknown")[:64]
        return address

    def _is_trusted(self, peer: str) -> bool:
        return bool(self.proxies) and _is_in(peer, self.proxies)


@lru_cache(maxsize=1024)
def name_of(host: str) -> str | None:
    """The name or address of ``localhost:8080`` or ``[::1]:8080``, in small letters; None for what is none."""
    name, found, port = ("", "", "") if _is_bare_v6(host) else host.rpartition(":")
    if not found or port.endswith("]"):
        name, port = host, ""
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        return None
    name = name.lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1] if isinstance(_address(name[1:-1]), ipaddress.IPv6Address) else None
    return name if _NAME.fullmatch(name) or (_is_bare_v6(name) and _address(name)) else None


def is_loopback(host: str) -> bool:
    """Whether a server that listens there, or a request that comes from there, is of this machine alone."""
    if host == UNIX or host.startswith(f"{UNIX}:") or host.lower() == "localhost":
        return True
    address = _address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return address is not None and (mapped or address).is_loopback


@lru_cache(maxsize=1024)
def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _is_in(peer: str, proxies: tuple[Network | str, ...]) -> bool:
    address = _address(peer)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(
        peer == one if isinstance(one, str) else mapped is not None and mapped.version == one.version and mapped in one
        for one in proxies
    )


def _is_bare_v6(host: str) -> bool:
    return host.count(":") > 1 and not host.startswith("[")


def _matches(name: str, hosts: Sequence[str]) -> bool:
    return any(host.startswith("*.") and name.endswith(host[1:]) for host in hosts)


def _refused(who: str) -> OriginRefused:
    return OriginRefused(
        f"a page of {who[:100]} may not ask this server.",
        remedy=remedy.command("serve", allow_origin="ORIGIN", say="Whoever runs it can let it"),
    )


def _host(name: str) -> str:
    plain = name.removeprefix("*.")
    if name != ANY and (name_of(plain) is None or plain.rpartition(":")[2].isdigit() or "/" in name):
        raise UsageError(
            f"allow_host is {name[:100]!r}, which is no name of a server.",
            remedy=remedy.option("allow_host", "search.example.com", say="Write {}, or *.example.com for all below."),
        )
    return name.lower()


def _origin(origin: str) -> str:
    scheme, found, host = origin.partition("://")
    if origin != ANY and (not found or scheme not in ("http", "https") or name_of(host) is None):
        raise UsageError(
            f"allow_origin is {origin[:100]!r}, which is no origin.",
            remedy=remedy.option("allow_origin", "https://app.example.com", say="Write {}, without a path."),
        )
    return origin.lower()


def _network(address: str) -> Network | str:
    if address == UNIX:
        return UNIX
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError:
        raise UsageError(
            f"trusted_proxy is {address[:100]!r}, which is no address.",
            remedy=remedy.option("trusted_proxy", "10.0.0.0/8", say="Write {}, one address, or unix."),
        ) from None
