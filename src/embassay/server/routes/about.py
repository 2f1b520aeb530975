"""The server itself: what it serves, as OpenAPI, and its version."""

from __future__ import annotations

import msgspec

from embassay.server.call import Call
from embassay.server.openapi import document
from embassay.server.own import failure
from embassay.server.route import Answer, Route
from embassay.version import VERSION

__all__ = ["ROUTES", "failure"]


class Version(msgspec.Struct):
    version: str


async def openapi(call: Call) -> Answer:
    """The OpenAPI document."""
    return Answer(call.service.once("openapi", lambda: msgspec.json.encode(document(call.service.served))))


async def version(_: Call) -> Version:
    """Which embassay answers."""
    return Version(VERSION)


ROUTES = (
    Route("GET", "/openapi.json", openapi, "This document", needs="open"),
    Route("GET", "/version", version, "The version of the server", reply=Version, needs="open"),
)
