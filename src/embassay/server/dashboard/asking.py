"""How a page asks for what it shows: as a program asks the server, by the same routes, and without going through HTTP.

    found = await ask(call, "GET", "/api/v1/search", query={"q": "otters", "explain": True})

Rights, bounds, defaults and the shape of the answer are those of the route, of which there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from embassay.server.refusals import RequestInvalid, RouteNotFound
from embassay.server.route import Answer

if TYPE_CHECKING:
    from embassay.server.call import Call
    from embassay.server.route import Route

ABOUT = ("set", "model", "texts", "tokens")
"""What the log and the metrics are told of a request."""


async def ask(
    call: Call,
    method: str,
    path: str,
    *,
    parts: Mapping[str, str] | None = None,
    query: Mapping[str, object] | None = None,
    body: Mapping[str, object] | None = None,
) -> Any:
    """The answer of a route, as JSON has it. `path` as the route declares it, `parts` what stands in its braces.

    Raises what the route raises, NotAllowed where the key does not give the right to it, RequestInvalid for values that
    it does not take, and RouteNotFound.
    """
    route = _route(call, method, path)
    if route.needs != "open":
        call.principal.check(route.needs)
    asked = replace(
        call, route=route, path=parts or {}, query=_read(query, route.query), body=_read(body, route.body), waits_for=""
    )
    try:
        made = await route.handle(asked)
    finally:
        for name in ABOUT:
            setattr(call, name, getattr(asked, name))
    return msgspec.to_builtins(made.body if isinstance(made, Answer) else made)


def _route(call: Call, method: str, path: str) -> Route:
    for _, _, route in call.service.served:
        if route.method == method and route.path == path:
            return route
    raise RouteNotFound(f"nothing is served at {method} {path}.")


def _read(values: Mapping[str, object] | None, kind: Any) -> Any:
    if kind is None:
        return None
    said = {name: value for name, value in (values or {}).items() if value is not None and value != ""}
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        place = place.strip("`").removeprefix("$").removeprefix(".")
        words = words.replace("`", "")
        raise RequestInvalid(f"{place or 'a value'}: {words[:1].lower()}{words[1:]}.", place=place) from None
