"""One message of the Model Context Protocol over HTTP: from the request that brought it to the reply.

Nothing is kept between messages: no sessions, which somebody could take over, and which a server that is started anew
would not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server


@dataclass(slots=True)
class Replied:
    """What is to be sent back."""

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def replied(server: Server[Any], path: str, headers: Mapping[str, str], body: bytes, most: int) -> Replied:
    """What `server` makes of a message that was posted: JSON, in either age of the protocol."""
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    scope: dict[str, object] = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path}
    scope |= {"raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": sent}
    reply, come = Replied(), [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, object]:
        if come:
            return come.pop()
        await asyncio.get_running_loop().create_future()  # whoever called this cancels it where the client goes
        raise AssertionError("nothing comes after the body")

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            reply.body += message.get("body", b"")

    manager = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=most + 1, session_idle_timeout=None
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    return reply
