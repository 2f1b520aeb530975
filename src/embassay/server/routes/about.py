"""The server itself: what it serves, as OpenAPI, and its version."""

from __future__ import annotations

import msgspec

from embassay.server.call import Call
from embassay.server.openapi import document
from embassay.server.problems import Problem
from embassay.server.route import Answer, Route
from embassay.version import VERSION


class Version(msgspec.Struct):
    version: str


async def openapi(call: Call) -> Answer:
    """The OpenAPI document."""
    return Answer(call.service.once("openapi", lambda: msgspec.json.encode(document(call.service.served))))


async def version(_: Call) -> Version:
    """Which embassay answers."""
    return Version(VERSION)


def failure(problem: Problem) -> tuple[int, object]:
    """The code, the words and the remedy."""
    return problem.status, {
        "error": {"code": problem.code, "message": problem.message, "remedy": problem.remedy, "place": problem.place}
    }


ROUTES = (
    Route("GET", "/openapi.json", openapi, "This document", needs="open"),
    Route("GET", "/version", version, "The version of the server", reply=Version, needs="open"),
)
