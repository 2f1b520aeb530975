"""What a handler is given of one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embassay.server.keys.principal import Principal
    from embassay.server.route import Route
    from embassay.server.service import Service


@dataclass(slots=True)
class Call:
    """One request, read and checked."""

    service: Service
    principal: Principal
    """Who asks, and what they may."""
    route: Route
    id: str
    """Of the request: given by the client, or made."""
    body: Any = None
    """As `Route.body` says."""
    query: Any = None
    """As `Route.query` says."""
    path: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the path."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""
    target: str = ""
    """Its path and its query string, as they were asked for."""
    is_safe: bool = False
    """Whether it came in by TLS."""
    client: str = ""
    """The address that it comes from."""
    port: int = 0
    """At which it came in."""
    changes: bool = False
    """Whether it asks to change something although its route is for those who read, too."""
    waits_for: str = ""
    """What it may have to wait for beside the model of its set, see `Service.in_worker_for`."""
    refused_key: str = ""
    """The id of a key that was good once, and is refused."""
    set: str = ""
    model: str = ""
    """What it turned out to be about: for the log and the metrics."""
    texts: int = 0
    tokens: int = 0
    """How much was asked of the model."""
    reply_headers: dict[str, str] = field(default_factory=dict)
    """What is sent beside the reply, whether it succeeds or fails."""
