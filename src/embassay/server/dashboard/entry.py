"""How a visit begins and ends: the page that takes a key, and the button that gives it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from embassay.server.dashboard.page import BELOW, PageQuery, at
from embassay.server.dashboard.shell import HERE, filled
from embassay.server.keys.entrance import Caller
from embassay.server.keys.principal import ANYONE
from embassay.server.keys.visits import end_cookie, set_cookie
from embassay.server.route import Answer

if TYPE_CHECKING:
    from embassay.server.call import Call

LOGIN, LOGOUT = f"{BELOW}login", f"{BELOW}logout"


class LoginQuery(PageQuery, kw_only=True):
    next: str = ""
    """The page that is shown then."""


class LoginForm(msgspec.Struct, kw_only=True):
    key: Annotated[str, msgspec.Meta(max_length=200)] = ""
    next: str = ""


async def show(call: Call) -> Answer:
    """The page that takes a key."""
    keyless = not call.service.guard.needs_keys
    values = {"menu": (), "who": ANYONE, "section": "", "visit": False, "title": "Log in", "keyless": keyless}
    return filled(f"{HERE}/login.html", {**values, "next": own_address(call.query.next)})


async def login(call: Call) -> Answer:
    """The page that was asked for, with the cookie. Raises KeyRefused."""
    asked: LoginForm = call.body
    call.changes = True
    call.principal = call.service.guard.principal_of(asked.key.strip(), Caller(call.client, False))
    cookie = set_cookie(asked.key.strip(), call.headers.get("host", ""), secure=_is_safe(call))
    return see(own_address(asked.next), cookie)


async def logout(call: Call) -> Answer:
    """The page that takes a key, and no cookie any more."""
    return see(LOGIN, end_cookie(call.headers.get("host", ""), secure=_is_safe(call)))


def see(address: str, cookie: str = "") -> Answer:
    """Has the browser ask for another page."""
    headers = {"location": address, "cache-control": "no-store"}
    return Answer(status=303, headers=headers | ({"set-cookie": cookie} if cookie else {}))


def own_address(said: str) -> str:
    """An address of this server; of what is none, that of the first page."""
    inside = said.startswith("/") and said.isascii() and said.isprintable() and " " not in said
    return said if inside and not said.startswith("//") and "\\" not in said else at()


def _is_safe(call: Call) -> bool:
    """Whether the browser speaks TLS, be it with this server or with a proxy before it."""
    return call.is_safe or call.headers.get("origin", "").startswith("https://")
