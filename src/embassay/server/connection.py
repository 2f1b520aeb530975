"""One connection of a client: what uvicorn leaves open that an unlucky or a hostile one would use.

A head has to be whole within a time and a size. A client that asks and does not read what it gets is given up. What is
no HTTP is refused as everything else is: with a status, and an error in the shape of a dialect.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from embassay.server.refusals import HeadTimedOut, HeadTooLarge, RequestError, RequestInvalid

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    Refuse = Callable[[RequestError], tuple[int, bytes]]

MOST_HEAD = 1 << 16
"""Bytes of the first line of a request and its headers."""
HEAD_SECONDS = 20.0
"""For a head to be whole, counted from its first byte; for the first byte of a connection as well."""
READ_SECONDS = 60.0
"""For a client to read some of an answer that is ready."""
LOOK_SECONDS = 2.0
"""How often it is looked after those that are late."""


class ClientConnection(HttpToolsProtocol):
    """Belongs to one loop. `connections` makes the class for a server."""

    refuse: Refuse
    """The status and the body of an error."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_since: float | None = time.monotonic()
        self._came = 0
        self._stuck_since = 0.0
        self._unread = 0
        self._error: RequestError | None = None

    def data_received(self, data: bytes) -> None:
        """More of what the client sends."""
        self._came = self._came + len(data) if self._head_since is not None else len(data)
        super().data_received(data)
        if self._head_since is not None and self._came > MOST_HEAD:
            self.give_up(_too_large())

    def on_message_begin(self) -> None:
        """The first byte of a request came."""
        super().on_message_begin()
        self._head_since = time.monotonic()

    def on_headers_complete(self) -> None:
        """Its head is whole. What is raised here, the parser hands to `send_400_response`."""
        self._head_since = None
        if self._came > MOST_HEAD and sum(len(n) + len(v) + 4 for n, v in self.headers) + len(self.url) > MOST_HEAD:
            self._error = _too_large()
            raise self._error
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what cannot be read as HTTP. `msg` is uvicorn's."""
        self.give_up(self._error or RequestInvalid("the request is no HTTP/1.1 that can be read without a doubt."))

    def _unsupported_upgrade_warning(self) -> None:
        """A client may ask for another protocol; it gets an answer in this one, and the log has nothing of it."""

    def give_up(self, error: RequestError) -> None:
        """Answer with an error, and close the connection. Where another answer has to come first, only close it: the
        client would take the error for that."""
        if self.transport.is_closing():
            return
        now = self.cycle
        in_its_body = now is not None and now.more_body and not now.response_started and not self.pipeline
        if now is None or now.response_complete or in_its_body:
            status, body = self.refuse(error)
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode("ascii") + body)
        self.transport.close()

    def look(self, now: float) -> None:
        """Give the client up where it is late."""
        transport = self.transport
        unread = transport.get_write_buffer_size()
        if not unread or unread < self._unread or not self._unread:
            self._stuck_since = now  # all of it was read, or some since the last look
        elif now - self._stuck_since > READ_SECONDS:
            transport.abort()
        self._unread = unread
        if self._head_since is not None and now - self._head_since > HEAD_SECONDS and not transport.is_closing():
            self.give_up(HeadTimedOut(f"the head of the request was not whole within {HEAD_SECONDS:g} seconds."))


def connections(refuse: Refuse) -> type[ClientConnection]:
    """The class of a server's connections. `refuse`: the status and the body of an error."""
    return type("ServedConnection", (ClientConnection,), {"refuse": staticmethod(refuse)})


async def look_after(connections: Iterable[object]) -> None:
    """Give up those that are late, for ever. `connections` are those that are open, whenever it is looked."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = time.monotonic()
        for one in [*connections]:
            if isinstance(one, ClientConnection) and one.transport is not None:
                one.look(now)


def _too_large() -> HeadTooLarge:
    return HeadTooLarge(f"the head of the request is larger than {MOST_HEAD:,} bytes.")
