"""Visits of people, by a browser: a key is typed in once, and comes in a cookie with each request from then on.

The server keeps nothing of a visit, so that it outlasts a restart and holds for all processes of a home. The cookie is
no key: the secret in it is hidden by a pad that only the server can make, from the digest which it keeps of the key.

    pad    = HMAC-SHA256(digest of the key, "<id> <until>")
    cookie = <id>.<until>.<secret xor pad>

Whoever gets hold of a cookie can look at the dashboard until it ends, and cannot ask as a program; whoever gets hold of
the file of keys has digests, from which no cookie can be made. A cookie that was changed in any place gives another
secret, which no digest fits. A key that is revoked, that has expired or was given another secret ends its visits.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from embassay.server.keys.key import PREFIX, digest_of, is_same
from embassay.server.refusals import OriginRefused

if TYPE_CHECKING:
    from embassay.server.keys.heads import Heads
    from embassay.server.keys.store import KeyStore

NAME = "embassay"
VISIT_SECONDS = 7 * 86_400
"""After which the key has to be typed in again."""
ELSEWHERE = frozenset({"cross-site", "same-site"})
"""``Sec-Fetch-Site`` of what a page of somebody else's asks for."""
SAFE = frozenset({"GET", "HEAD"})
_FORM = re.compile(r"([0-9a-f]{12})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)
_PORT = re.compile(r":([0-9]{1,5})$", re.ASCII)


def set_cookie(token: str, host: str, *, secure: bool, now: float | None = None) -> str:
    """The line ``Set-Cookie`` of a visit with a key that was found good. `host`: as the request names the server."""
    until = int((time.time() if now is None else now) + VISIT_SECONDS)
    key_id, secret = token.split("_")[1:]
    hidden = _padded(bytes.fromhex(secret), digest_of(token), key_id, until)
    return _line(f"{key_id}.{until}.{hidden.hex()}", host, VISIT_SECONDS, secure)


def end_cookie(host: str, *, secure: bool) -> str:
    """The same by which a visit ends."""
    return _line("", host, 0, secure)


def token_of(headers: Mapping[str, str], store: KeyStore | None) -> str:
    """The key that a browser's cookie stands for; empty where there is none, or it is over. Raises KeysError."""
    said = _found(headers.get("cookie", ""), _name(headers.get("host", "")))
    match = _FORM.fullmatch(said)
    if match is None or store is None:
        return ""
    key_id, until, hidden = match[1], int(match[2]), bytes.fromhex(match[3])
    key = store.current().get(key_id)
    if key is None or not time.time() < until <= time.time() + VISIT_SECONDS + 60:
        return ""
    for digest in (key.digest, key.old_digest):  # the secret before is good for a while after it was replaced
        token = f"{PREFIX}_{key_id}_{_padded(hidden, digest, key_id, until).hex()}"
        if is_same(digest_of(token), digest):
            return token
    return ""


def check_own_page(heads: Heads, method: str) -> None:
    """Raises OriginRefused for a form that no page of this server sends, and for a page that is asked for from within
    another one's: of another site, and of another server of this machine, which a browser counts to the same site and
    sends the cookie with. A link may lead here from anywhere. A program with its key in a header may send a form."""
    if method in SAFE:
        if heads.site in ELSEWHERE and heads.mode != "navigate":
            raise OriginRefused(
                "a page of this server is for people to open.", remedy="Open it in a window of its own."
            )
        return
    own = heads.origin.partition("://")[2].lower() == heads.host.lower()
    if own or (not heads.origin and (heads.site == "same-origin" or (not heads.site and heads.token))):
        return
    raise OriginRefused("this form was not sent by a page of this server.", remedy="Open the page, and send it there.")


def _padded(secret: bytes, digest: bytes, key_id: str, until: int) -> bytes:
    pad = hmac.digest(digest, f"{key_id} {until}".encode(), "sha256")
    return bytes(one ^ other for one, other in zip(secret, pad, strict=True))


def _name(host: str) -> str:
    """Browsers share cookies between the ports of a machine, at which several servers may listen."""
    port = _PORT.search(host)
    return f"{NAME}_{port[1]}" if port else NAME


def _line(value: str, host: str, seconds: int, secure: bool) -> str:
    safe = "; Secure" if secure else ""
    return f"{_name(host)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{safe}"


def _found(cookies: str, name: str) -> str:
    for one in cookies.split(";"):
        known, _, value = one.strip().partition("=")
        if known == name:
            return value
    return ""
