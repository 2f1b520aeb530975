"""The tools over the standard streams of a process, for an agent that starts it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

import anyio
from mcp.server.stdio import stdio_server

from embassay.agents.base import Desk, Owner, OwnProcess
from embassay.agents.server import make_server
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import find_home
from embassay.threads import in_thread

PURPOSE = "mcp"
"""For what money is spent, as the ledger has it."""


Identity = tuple[int, int] | None


class HomeWhenThere:
    """The home of a process that may be older than it: found at the first call that needs it, and kept."""

    def __init__(self, place: Path | None) -> None:
        """`place`: where it is; None: wherever commands look for one."""
        self._place, self._lock = place, threading.Lock()
        self._home: Home | None = None
        self._session: Session | None = None
        self._opened: Identity = None

    def get(self) -> Home:
        """The home. Raises HomeNotFound, also once what was opened is gone; one in its place is opened anew."""
        with self._lock:
            if self._home is not None and _identity(self._home.folder) != self._opened:
                self.close()
            if self._home is None:
                folder = find_home(self._place)
                self._opened = _identity(folder.folder)
                self._session = Session(cache_file=folder.cache_file, purpose=PURPOSE)
                self._home = Home(folder, self._session)
            return self._home

    def close(self) -> None:
        """Give it back."""
        for opened in (self._home, self._session):
            if opened is not None:
                opened.close()
        self._home = self._session = None


def _identity(folder: Path) -> Identity:
    """Tells a folder from another one that has taken its place; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def serve(place: Path | None, *, sets: Collection[str] | None, writes: bool) -> None:
    """Answer until the standard input ends. `sets`: the only ones that are shown."""
    homes, owner = HomeWhenThere(place), Owner(sets, writes)

    def desk() -> Desk:
        home = homes.get()
        return Desk(home, owner, OwnProcess(home.session))

    async def answer() -> None:
        server = make_server(desk, in_thread)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    try:
        anyio.run(answer)
    finally:
        homes.close()
