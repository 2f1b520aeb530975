"""What a browser is told, so that pages of allowed origins may ask and read the answer (CORS of the Fetch standard).

Nothing of it is sent where no origin was allowed: browsers then keep answers from every page but the server's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from embassay.server.keys.entrance import Entrance

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = "authorization, api-key, x-api-key, content-type, x-request-id, x-request-timeout"
_LEFT = (f"x-ratelimit-{part}-{of}" for of in ("requests", "tokens") for part in ("limit", "remaining", "reset"))
REPLY_HEADERS = ", ".join(("x-request-id", "retry-after", *_LEFT))
KEPT_SECONDS = 600
"""For how long a browser need not ask again."""


def page_headers(entrance: Entrance, origin: str) -> Mapping[str, str]:
    """What is sent with every answer to a page of `origin`, which was let in."""
    if not entrance.allows_origin(origin):  # the server's own page
        return {"vary": "origin"} if entrance.origins else {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": REPLY_HEADERS,
        "vary": "origin",
    }


def preflight() -> Mapping[str, str]:
    """What a browser may do, which asks before it does it."""
    return {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": str(KEPT_SECONDS),
    }
