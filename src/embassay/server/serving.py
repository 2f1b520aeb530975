"""A server from its start to its end: sockets, uvicorn, models that nobody needs any more, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

from embassay.monitor.watch import WatchThread
from embassay.server.app import App
from embassay.server.keys.entrance import Entrance
from embassay.server.keys.guard import Guard
from embassay.server.keys.principal import ANYONE
from embassay.server.limits import Limits
from embassay.server.residency import Residency
from embassay.server.service import Service
from embassay.server.sockets import BACKLOG, Address, bound
from embassay.server.tracing import started_tracing
from embassay.threads import in_thread

if TYPE_CHECKING:
    import uvicorn

    from embassay.home import Home
    from embassay.session import Session

SWITCH_SECONDS = 0.0005
"""How long one thread keeps the interpreter while others want it: a model that has finished waits for it."""
GRACE_SECONDS = 30
"""For requests that are under way when the server is told to end."""

_log = logging.getLogger("embassay.server")


@dataclass(frozen=True, slots=True)
class Serving:
    """How a server is started."""

    addresses: Sequence[Address] = (Address(),)
    """The first is the server's own; all of them answer alike."""
    limits: Limits = field(default_factory=Limits)
    preload: Sequence[str] = ()
    """Models that are loaded before the first request."""
    entrance: Entrance = field(default_factory=Entrance)
    """By which names, from which pages and through which proxies requests may come."""
    tls: Mapping[str, str] = field(default_factory=dict)
    """The certificate and its key, as `checked_tls` gives them; empty for plain HTTP."""


class Server:
    """One server over one home. Make it, `bind` it, and `run` it."""

    def __init__(self, home: Home, session: Session, serving: Serving) -> None:
        self.serving = serving
        self.guard = Guard(home.folder, serving.entrance, lambda said: _log.warning("%s", said))
        self.service = Service(home, session, serving.limits, self.guard)
        self.app = App(self.service, self.guard)
        self._tracing = started_tracing(session.events)
        self._residency = Residency(self.service.models, serving.limits.keep_alive)
        self._watch = WatchThread(home)
        self.sockets: list[socket.socket] = []
        """On which it listens: those that were bound, or handed down."""
        self._uvicorn: uvicorn.Server | None = None
        self._ready: Callable[[], None] = lambda: None

    def bind(self) -> list[Address]:
        """Take the addresses, and say which they are: of port 0, the one that was free. Raises UsageError, also where
        others than this machine could reach the server and no key was made; ConfigError for a model that is set up
        wrongly, by which requests of all kinds would fail."""
        self.guard.check_binding()
        for name in self.service.session.models.names():
            self.service.session.models.settings(name)
        found = []
        for address in self.serving.addresses:
            taken = bound(address)
            self.sockets.append(taken)
            found.append(Address(address.host, taken.getsockname()[1], address.scheme))
        return found

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until the process is told to end (SIGINT, SIGTERM), or `stop` is called; then finish what was taken.

        `ready` is called once requests are answered. Raises ModelError where a model cannot be loaded that was to be.
        """
        import uvicorn

        from embassay.server.connection import connections

        self._ready = ready
        for name in self.serving.preload:
            self.service.models.open(self.service.models.find(name, ANYONE))
        sys.setswitchinterval(SWITCH_SECONDS)
        config = uvicorn.Config(
            self._lifespan,
            http=connections(self.app.refused),
            interface="asgi3",
            lifespan="on",
            proxy_headers=False,
            log_config=None,
            log_level="error",  # whoever sends garbage fills no log
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=75,
            backlog=BACKLOG,
            ws="none",
            **self.serving.tls,  # type: ignore[arg-type]
        )
        self._uvicorn = quiet(uvicorn.Server)(config)
        try:
            self._uvicorn.run(sockets=self.sockets)
        finally:
            for taken in self.sockets:
                taken.close()
            self.service.close()
            if self._tracing is not None:
                self._tracing.close()
            self.guard.close()

    def stop(self) -> None:
        """Have `run` end, from any thread."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    async def _lifespan(self, scope: dict[str, object], receive: object, send: object) -> None:
        """The application, with what is begun before the first request and ended behind the last one."""
        if scope["type"] == "http":
            await self.app(scope, receive, send)  # type: ignore[arg-type]
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: object, send: object) -> None:
        await receive()  # type: ignore[operator]
        async with self._alive():
            await send({"type": "lifespan.startup.complete"})  # type: ignore[operator]
            await receive()  # type: ignore[operator]
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]

    @contextlib.asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        from embassay.server.connection import look_after

        assert self._uvicorn is not None
        open_now = self._uvicorn.server_state.connections
        watching = asyncio.gather(self._residency.watch(), look_after(open_now))
        self._watch.start()
        self._ready()
        try:
            yield
        finally:
            watching.cancel()
            await in_thread(self._watch.close)
            with contextlib.suppress(asyncio.CancelledError):
                await watching


def quiet(server: type[uvicorn.Server]) -> type[uvicorn.Server]:
    """uvicorn's server, which ends well when it is told to: it would end the process by the same signal again."""

    class Quiet(server):  # type: ignore[misc,valid-type]
        def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
            """The first signal ends it gracefully; a second Ctrl-C waits for nothing."""
            if sig == signal.SIGINT and getattr(self, "should_exit", False):
                self.force_exit = True
            self.should_exit = True

    return Quiet
