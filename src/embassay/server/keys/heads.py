"""The header lines of a request that say who makes it, read in one go and refused where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from embassay.server.refusals import RequestInvalid

KEY_HEADERS = (b"authorization", b"api-key", b"x-api-key")
FORWARDING = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
"""By which a proxy says for whom it asks."""
_ONCE = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"content-type", b"origin", b"sec-fetch-site", *KEY_HEADERS}
)
"""Two of these would be read differently by a proxy and by this server, or by two parts of it."""
_READ = _ONCE | {*FORWARDING, b"sec-fetch-mode"}


@dataclass(frozen=True, slots=True)
class Heads:
    """What the header lines say; empty where they do not."""

    host: str
    token: str
    """The key, of whichever line it came in."""
    origin: str
    site: str
    """``Sec-Fetch-Site``: how a browser's page and this server are related."""
    mode: str
    forwarded_for: str
    """``X-Forwarded-For``, all its lines in their order."""
    is_forwarded: bool
    """Whether a proxy says that it asks for somebody else."""


def read_heads(headers: Iterable[tuple[bytes, bytes]]) -> Heads:
    """`headers` as ASGI has them: names in small letters. Raises RequestInvalid."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name not in _READ:
            continue
        if name not in found:
            found[name] = value
        elif name in _ONCE:
            raise RequestInvalid(f"the request has two headers {_shown(name)}.", remedy="Send one.")
        else:
            found[name] += b"," + value
    if b"content-length" in found and b"transfer-encoding" in found:
        raise RequestInvalid(
            "the request has both Content-Length and Transfer-Encoding, so that its end is not clear.",
            remedy="Send one of them.",
        )
    text = {name: value.decode("latin-1").strip() for name, value in found.items()}
    return Heads(
        text.get(b"host", ""),
        _token(text),
        text.get(b"origin", ""),
        text.get(b"sec-fetch-site", ""),
        text.get(b"sec-fetch-mode", ""),
        text.get(b"x-forwarded-for", ""),
        any(name in found for name in FORWARDING),
    )


def _token(text: dict[bytes, str]) -> str:
    """The key that a request brings. The same one in several headers is one; two are refused."""
    given = {name: text[name] for name in KEY_HEADERS if text.get(name)}
    if b"authorization" in given:
        scheme, _, rest = given[b"authorization"].partition(" ")
        given[b"authorization"] = rest.strip() if scheme.lower() == "bearer" else given[b"authorization"]
    keys = set(given.values())
    if len(keys) > 1:
        names = " and ".join(map(_shown, given))
        raise RequestInvalid(f"the headers {names} bring different keys.", remedy="Send one key.")
    return keys.pop() if keys else ""


def _shown(name: bytes) -> str:
    return "-".join(part.capitalize() for part in name.decode("latin-1").split("-"))
